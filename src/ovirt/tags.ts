import { EngineError } from '../model/errors.ts'
import type { Hypervisor } from '../model/hypervisor.ts'
import { oneLine } from '../model/shown.ts'
import type { Http } from './http.ts'
import { vmsFound } from './inventory.ts'
import { createdId } from './wire-job.ts'
import { type Tag, tagsIn } from './wire-tag.ts'

/** The engine refuses all other names (Tags.name); among these none means anything to a search but the dot, which is any character. */
const searchable = /^[\p{L}0-9._-]{1,50}$/u

/** Tags and the VMs that carry them. */
export function createTags(http: Http): Pick<Hypervisor, 'tagged' | 'tag' | 'untag'> {
  // The engine tells upper from lower case in tags, in searches as well (TagsDirector): the spelling has to be its own.
  async function named(name: string, doing: string, signal: AbortSignal): Promise<Tag[]> {
    const all = tagsIn(await http.get('/tags', {}, doing, signal))
    const alike = all.filter((tag) => tag.name.toLowerCase() === name.toLowerCase())
    return alike.toSorted((a, b) => Number(b.name === name) - Number(a.name === name))
  }

  async function made(name: string, signal: AbortSignal): Promise<string> {
    const doing = `make the tag ${oneLine(name, 50)}`
    try {
      const act = { method: 'POST', path: '/tags', body: { name }, doing, repeatable: true } as const
      return createdId((await http.act(act, signal)).body, 'new tag')
    } catch (error) {
      // Somebody made it at the same moment.
      const [found] = isConflict(error) ? await named(name, doing, signal) : []
      if (found === undefined) throw error
      return found.id
    }
  }

  return {
    async tagged(name, signal) {
      const doing = `list the VMs with the tag ${oneLine(name, 50)}`
      const spellings = (await named(name, doing, signal)).filter((tag) => searchable.test(tag.name))
      if (spellings.length === 0) return []
      // Descendants are the engine's own doing: it searches for a tag together with all below it.
      return vmsFound(http, spellings.map((tag) => `tag=${tag.name}`).join(' or '), doing, signal)
    },

    async tag(vm, name, signal) {
      const doing = `put the tag ${oneLine(name, 50)} on VM ${vm.name}`
      const [found] = await named(name, doing, signal)
      const id = found?.id ?? (await made(name, signal))
      await http.act({ method: 'POST', path: tagsOf(vm.id), body: { id }, doing, repeatable: true }, signal)
    },

    async untag(vm, name, signal) {
      const doing = `take the tag ${oneLine(name, 50)} from VM ${vm.name}`
      for (const { id } of await named(name, doing, signal)) {
        const path = `${tagsOf(vm.id)}/${encodeURIComponent(id)}`
        await http
          .act({ method: 'DELETE', path, doing, repeatable: true }, signal)
          .catch((error: unknown) => {
            if (!isAbsent(error)) throw error
          })
      }
    },
  }
}

function tagsOf(vmId: string): string {
  return `/vms/${encodeURIComponent(vmId)}/tags`
}

function isConflict(error: unknown): boolean {
  return error instanceof EngineError && error.status === 409
}

function isAbsent(error: unknown): boolean {
  return error instanceof EngineError && error.status === 404
}
