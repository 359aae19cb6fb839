import { randomUUID } from 'node:crypto'
import { refused } from '../wire/fault.ts'
import type { Tag } from './entities.ts'
import { zeroId } from './ids.ts'
import type { World } from './world.ts'

const named = /^[\p{L}0-9._-]*$/u
const longestName = 50

/** A tag by its exact name: the engine tells upper from lower case. */
export function tagNamed(world: World, name: string): Tag | undefined {
  return [...world.tags.values()].find((tag) => tag.name === name)
}

/** Adds a tag below the root, or below the parent given by id. Refused for a name that is taken or not fit for one. */
export function addTag(world: World, given: { name: string; description?: string; parent?: string }): Tag {
  const { name, description = '', parent = zeroId } = given
  checkName(world, name)
  const tag = { id: randomUUID(), name, description, parent }
  world.tags.set(tag.id, tag)
  return tag
}

/** Renames or describes a tag, or hangs it below another one. */
export function changeTag(
  world: World,
  tag: Tag,
  change: { name?: string; description?: string; parent?: string },
): void {
  const { name = tag.name, description = tag.description, parent = tag.parent } = change
  if (parent !== undefined && withDescendants(world, tag).some(({ id }) => id === parent))
    throw refused(409, 'Operation canceled, recursive Tag hierarchy cannot be defined.')
  if (tag.id === zeroId) throw refused(409, 'Cannot edit readonly tag')
  checkName(world, name, tag.id)
  Object.assign(tag, { name, description, parent })
}

/** Removes a tag with all below it, and takes them from their VMs. */
export function removeTag(world: World, tag: Tag): void {
  for (const { id } of withDescendants(world, tag)) {
    world.tags.delete(id)
    for (const vm of world.vms.values()) vm.tags.delete(id)
  }
}

/** The tag itself and all that are below it. */
function withDescendants(world: World, tag: Tag): Tag[] {
  const children = [...world.tags.values()].filter(({ parent }) => parent === tag.id)
  return [tag, ...children.flatMap((child) => withDescendants(world, child))]
}

/** The names of all tags by which a search finds something that carries these: their own, and those above them but the root. */
export function searchedNames(world: World, carried: ReadonlySet<string>): string[] {
  const names: string[] = []
  for (let id of carried) {
    for (let tag = world.tags.get(id); tag?.parent !== undefined; tag = world.tags.get(id)) {
      names.push(tag.name)
      id = tag.parent
    }
  }
  return names
}

function checkName(world: World, name: string, own?: string): void {
  if (name === '' || name.length > longestName || !named.test(name))
    throw refused(400, "Invalid tag name. Only letters, numbers, '-', and '_' are valid characters.")
  const taken = tagNamed(world, name)
  if (taken !== undefined && taken.id !== own) throw refused(409, 'The specified Tag name already exists.')
}
