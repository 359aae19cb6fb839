import { type Call, collection, created, demand, demandView, done, idIn, ok } from '../api/call.ts'
import { assignedTagElement, tagElement } from '../api/infra-elements.ts'
import type { Routes } from '../api/router.ts'
import { maxOf } from '../search/match.ts'
import { incomplete, Missing, notFound } from '../wire/fault.ts'
import type { Input } from '../wire/parse-input.ts'
import type { Tag } from '../world/entities.ts'
import { addTag, changeTag, removeTag, tagNamed } from '../world/tags.ts'
import { vmIn } from './vms.ts'

/** Tags and their assignment to VMs, as BackendTagsResource and BackendVmTagsResource serve them. */
export const tagRoutes: Routes = {
  'GET /tags': (call) => {
    demandView(call)
    return collection('tags', 'tag', cut(call, [...call.world.tags.values()]).map(tagElement))
  },
  'POST /tags': (call) => {
    demand(call, 'tag_management')
    const input = call.input('tag')
    const { name } = input
    if (typeof name !== 'string') throw incomplete('Tag', ['name'], 'add')
    return created('tag', tagElement(addTag(call.world, { name, ...describedIn(call, input) })))
  },
  'GET /tags/{tag}': (call) => ok('tag', tagElement(tagIn(call))),
  'PUT /tags/{tag}': (call) => {
    demand(call, 'tag_management')
    const tag = tagIn(call)
    const input = call.input('tag')
    changeTag(call.world, tag, {
      ...(typeof input['name'] === 'string' ? { name: input['name'] } : {}),
      ...describedIn(call, input),
    })
    return ok('tag', tagElement(tag))
  },
  'DELETE /tags/{tag}': (call) => {
    demand(call, 'tag_management')
    removeTag(call.world, tagIn(call))
    return done()
  },
  // Of a VM that is not there the engine lists none (GetTagsByVmIdQuery).
  'GET /vms/{vm}/tags': (call) => {
    demandView(call)
    const id = idIn(call, 'vm')
    const tags = [...(call.world.vms.get(id)?.tags ?? [])].flatMap((tag) => call.world.tags.get(tag) ?? [])
    return collection(
      'tags',
      'tag',
      cut(call, tags).map((tag) => assignedTagElement(tag, id)),
    )
  },
  'POST /vms/{vm}/tags': (call) => {
    demand(call, 'tag_management')
    const vm = vmIn(call)
    const { id, name } = call.input('tag')
    if (typeof id !== 'string' && typeof name !== 'string') throw incomplete('Tag', ['id|name'], 'add')
    const tag = typeof id === 'string' ? call.world.tags.get(id) : tagNamed(call.world, String(name))
    if (tag === undefined) throw notFound(String(id ?? name))
    vm.tags.add(tag.id)
    return created('tag', assignedTagElement(tag, vm.id))
  },
  'GET /vms/{vm}/tags/{tag}': (call) => {
    const { vm, tag } = assignedIn(call)
    return ok('tag', assignedTagElement(tag, vm.id))
  },
  'DELETE /vms/{vm}/tags/{tag}': (call) => {
    demand(call, 'tag_management')
    const { vm, tag } = assignedIn(call)
    vm.tags.delete(tag.id)
    return done()
  },
}

function tagIn(call: Call): Tag {
  const tag = call.world.tags.get(idIn(call, 'tag'))
  if (tag === undefined) throw new Missing()
  return tag
}

function assignedIn(call: Call) {
  const vm = vmIn(call)
  const tag = tagIn(call)
  if (!vm.tags.has(tag.id)) throw new Missing()
  return { vm, tag }
}

/** Description and parent, which is named by id or by name. */
function describedIn(call: Call, { description, parent }: Input): { description?: string; parent?: string } {
  const described = typeof description === 'string' ? { description } : {}
  if (typeof parent !== 'object' || !('id' in parent || 'name' in parent)) return described
  const { id, name } = parent as Input
  const found =
    typeof name === 'string' ? tagNamed(call.world, name) : call.world.tags.get(String(id).toLowerCase())
  if (found === undefined) throw notFound(String(name ?? id))
  return { ...described, parent: found.id }
}

function cut(call: Call, tags: Tag[]): Tag[] {
  return tags.slice(0, maxOf(call.query) ?? tags.length)
}
