import { messageOf, saidNo } from '../model/errors.ts'
import type { Site } from '../model/site.ts'
import type { VmRef } from '../model/vm.ts'
import type { Owed } from '../run/obligation.ts'
import type { Run } from '../run/run.ts'
import type { BackupOptions } from './options.ts'
import type { VmPlan } from './plan.ts'

const thawMs = 30_000

/** The guests whose file systems this run has frozen. */
export interface FrozenGuests extends AsyncDisposable {
  /** Freezes a guest, no longer than the options allow; undefined when it is frozen, else why it is not. */
  freeze(vm: VmPlan & { guestAgent: boolean }): Promise<string | undefined>
  /** Thaws a guest if this run has frozen it; undefined when it was frozen until now, else why not. Never throws. */
  thaw(vm: VmPlan): Promise<string | undefined>
}

/** A guest that stands still, or may. */
interface Held {
  vm: VmRef
  owed: Owed
  /** Its agent answered the freeze with no. */
  refused: boolean
  timer?: NodeJS.Timeout
}

/**
 * The hosts freeze guests for a snapshot by themselves, but tell nobody whether it worked (vdsm, jobs/snapshot.py). So we do it
 * first, which is answered; the host's own thaw after its snapshot ends it. Disposing thaws all that are left, and tries
 * again where a thaw has failed.
 */
export function freezeGuests(run: Run, site: Site, options: BackupOptions): FrozenGuests {
  const held = new Map<string, Held>()
  const whyNot = new Map<string, string>()
  const allowed = `${options.freezeMs / 1000} s`

  /** Whatever becomes of the run, a guest must not stand still: never the run's own signal. Returns what went wrong. */
  async function thawNow(one: Held): Promise<unknown> {
    clearTimeout(one.timer)
    try {
      await site.hypervisor.thaw(one.vm, AbortSignal.timeout(thawMs))
      run.strike(one.owed)
      held.delete(one.vm.id)
      return undefined
    } catch (error) {
      return error
    }
  }

  async function thawAtLast(one: Held): Promise<void> {
    const error = await thawNow(one)
    if (error === undefined) return
    // An agent that answers neither freeze nor thaw has most likely done neither; asking it at every start helps nobody.
    if (one.refused && saidNo(error)) run.strike(one.owed)
    const text = `the guest of VM ${one.vm.name} may still be frozen: ${messageOf(error)}; look whether it answers, and thaw it with fsfreeze -u`
    run.emit({ kind: 'note', severity: 'warning', text })
  }

  async function tryFreeze(one: Held): Promise<string | undefined> {
    const late = AbortSignal.timeout(options.freezeMs)
    try {
      await site.hypervisor.freeze(one.vm, AbortSignal.any([run.signal, late]))
      return undefined
    } catch (error) {
      run.signal.throwIfAborted()
      // Also after a no: an agent may freeze and answer too late for its host.
      one.refused = saidNo(error)
      await thawNow(one)
      return late.aborted ? `the guest did not freeze within ${allowed}` : messageOf(error)
    }
  }

  return {
    async freeze(vm) {
      const { id, name } = vm
      const hindrance = hindranceOf(vm, options)
      if (hindrance !== undefined) {
        whyNot.set(id, hindrance)
        return hindrance
      }
      const begun = performance.now()
      const one: Held = {
        vm: { id, name },
        owed: run.owe({ kind: 'freeze', vm: { id, name } }),
        refused: false,
      }
      held.set(id, one)
      const why = await tryFreeze(one)
      if (why !== undefined) {
        whyNot.set(id, why)
        return why
      }
      // From when it was asked for: nobody knows when within that time the guest stopped.
      const leftMs = Math.max(0, options.freezeMs - (performance.now() - begun))
      one.timer = setTimeout(() => {
        whyNot.set(id, `its snapshot took longer than the ${allowed} that a guest may be frozen`)
        void thawNow(one)
      }, leftMs)
      return undefined
    },

    async thaw({ id }) {
      const one = held.get(id)
      if (one !== undefined) await thawNow(one)
      return whyNot.get(id)
    },

    async [Symbol.asyncDispose]() {
      await Promise.all([...held.values()].map(thawAtLast))
    },
  }
}

function hindranceOf(vm: VmPlan & { guestAgent: boolean }, options: BackupOptions): string | undefined {
  if (options.freeze === 'no') return 'freezing is switched off'
  if (!vm.guestAgent) return 'no guest agent has reported to the engine'
  return vm.status === 'up' ? undefined : `the VM is ${vm.status.replaceAll('_', ' ')}`
}
