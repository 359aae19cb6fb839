import type { Hypervisor } from '../../src/model/hypervisor.ts'
import type { World } from './memory-acts.ts'

interface Door {
  enter(method: keyof Hypervisor, signal: AbortSignal): void
  save(): Promise<void>
}

const same = (a: string, b: string) => a.toLowerCase() === b.toLowerCase()

/** The fake engine's clusters and tree of tags. */
export function createTags(
  world: World,
  { enter, save }: Door,
): Pick<Hypervisor, 'findVms' | 'clusters' | 'tagged' | 'tag' | 'untag'> {
  const refs = (fits: (vm: { id: string; name: string }) => boolean) =>
    world.vms.filter(fits).map(({ id, name }) => ({ id, name }))

  /** That tag and all below it. */
  function family(tag: string): string[] {
    const children = world.tags.filter(({ below }) => below !== undefined && same(below, tag))
    return [tag, ...children.flatMap(({ name }) => family(name))]
  }

  return {
    async findVms(namesOrIds, signal) {
      enter('findVms', signal)
      if (namesOrIds === 'all') return refs(() => true)
      return refs(({ id, name }) => namesOrIds.some((one) => same(one, id) || same(one, name)))
    },
    async clusters(signal) {
      enter('clusters', signal)
      return structuredClone(world.clusters)
    },
    async tagged(tag, signal) {
      enter('tagged', signal)
      const counting = family(tag)
      const has = (vm: string) =>
        world.tagged.some((one) => one.vm === vm && counting.some((name) => same(name, one.tag)))
      return refs(({ id }) => has(id))
    },
    async tag({ id, name }, tag, signal) {
      enter('tag', signal)
      if (world.tags.every((one) => !same(one.name, tag))) world.tags.push({ name: tag })
      if (world.tagged.some((one) => one.vm === id && same(one.tag, tag))) return
      world.tagged.push({ vm: id, tag })
      world.acts.push(`tag ${name} ${tag}`)
      await save()
    },
    async untag({ id, name }, tag, signal) {
      enter('untag', signal)
      const left = world.tagged.filter((one) => one.vm !== id || !same(one.tag, tag))
      if (left.length === world.tagged.length) return
      world.tagged = left
      world.acts.push(`untag ${name} ${tag}`)
      await save()
    },
  }
}
