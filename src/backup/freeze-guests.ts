import { EngineError, messageOf } from '../model/errors.ts'
import type { Site } from '../model/site.ts'
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

interface Frozen {
  owed: Owed
  timer: NodeJS.Timeout
}

/**
 * The hosts freeze guests for a snapshot by themselves, but tell nobody whether it worked (vdsm, jobs/snapshot.py). So we do it
 * first, which is answered; the host's own thaw after its snapshot ends it. Disposing thaws all that are left.
 */
export function freezeGuests(run: Run, site: Site, options: BackupOptions): FrozenGuests {
  const frozen = new Map<string, Frozen>()
  const whyNot = new Map<string, string>()

  // Whatever becomes of the run, a guest must not stand still: never the run's own signal.
  async function thawNow(owed: Owed): Promise<void> {
    if (owed.what.kind !== 'freeze') return
    try {
      await site.hypervisor.thaw(owed.what.vm, AbortSignal.timeout(thawMs))
      run.strike(owed)
    } catch (error) {
      const text = `the guest of VM ${owed.what.vm.name} may still be frozen: ${messageOf(error)}`
      run.emit({ kind: 'note', severity: 'warning', text })
    }
  }

  async function tryFreeze(vm: VmPlan, owed: Owed): Promise<string | undefined> {
    const late = AbortSignal.timeout(options.freezeMs)
    try {
      await site.hypervisor.freeze({ id: vm.id, name: vm.name }, AbortSignal.any([run.signal, late]))
      return undefined
    } catch (error) {
      run.signal.throwIfAborted()
      const isRefused = error instanceof EngineError && error.status !== undefined && error.status < 500
      if (isRefused) run.strike(owed)
      else await thawNow(owed)
      return late.aborted ? `the guest did not freeze within ${options.freezeMs / 1000} s` : messageOf(error)
    }
  }

  async function thaw(vm: VmPlan): Promise<string | undefined> {
    const held = frozen.get(vm.id)
    if (held === undefined) return whyNot.get(vm.id) ?? 'it was not frozen'
    frozen.delete(vm.id)
    clearTimeout(held.timer)
    await thawNow(held.owed)
    return undefined
  }

  return {
    async freeze(vm) {
      const { id, name } = vm
      const hindrance = hindranceOf(vm, options)
      if (hindrance !== undefined) {
        whyNot.set(id, hindrance)
        return hindrance
      }
      const owed = run.owe({ kind: 'freeze', vm: { id, name } })
      const why = await tryFreeze(vm, owed)
      if (why !== undefined) {
        whyNot.set(id, why)
        return why
      }
      const timer = setTimeout(() => {
        whyNot.set(
          id,
          `its snapshot took longer than the ${options.freezeMs / 1000} s that a guest may be frozen`,
        )
        void thaw(vm)
      }, options.freezeMs)
      frozen.set(id, { owed, timer })
      return undefined
    },

    thaw,

    async [Symbol.asyncDispose]() {
      const left = [...frozen.values()]
      frozen.clear()
      for (const { timer } of left) clearTimeout(timer)
      await Promise.all(left.map(({ owed }) => thawNow(owed)))
    },
  }
}

function hindranceOf(vm: VmPlan & { guestAgent: boolean }, options: BackupOptions): string | undefined {
  if (options.freeze === 'no') return 'freezing is switched off'
  if (!vm.guestAgent) return 'no guest agent has reported to the engine'
  return vm.status === 'up' ? undefined : `the VM is ${vm.status.replaceAll('_', ' ')}`
}
