import { messageOf } from '../model/errors.ts'
import type { Site } from '../model/site.ts'
import type { VmRef } from '../model/vm.ts'
import type { Obligation, Owed } from '../run/obligation.ts'
import type { Run } from '../run/run.ts'
import { mergeSnapshots } from './merge-snapshots.ts'
import type { BackupOptions } from './options.ts'
import { hasOverlay } from './overlays.ts'
import { dropOwed, unmergedAmong } from './settle.ts'
import type { Verdicts } from './verdicts.ts'
import type { Ends } from './volumes.ts'

/**
 * Merges the snapshots of this run, or of these VMs alone, and, VM by VM as its merge ends, removes its overlays from the secondary. A VM
 * whose merge or clean-up fails is a verdict; what it owes is left to the next start.
 */
export async function mergeAndClean(
  run: Run,
  site: Site,
  ends: Ends,
  options: BackupOptions,
  verdicts: Verdicts,
  vms?: readonly VmRef[],
): Promise<void> {
  const mine = owedFor(run, vms)
  // The ledger has the newest first; the guest that is longest on its overlay is not to be the last.
  const snapshots = mine.filter(({ what }) => what.kind === 'snapshot').toReversed()
  await mergeSnapshots(run, site, snapshots, options, {
    merged: (vm) => cleanAfter(run, site, ends, vm, mine, verdicts),
    stuck: (_owed, vm, why) => giveUpOn(run, vm, why, mine, verdicts),
  })
  await forgetEarlier(run, site, ends, verdicts)
}

/** What this run owes for its VMs, or for some of them, that ends with their merge. */
export function owedFor(run: Run, vms?: readonly VmRef[]): OwedForVm[] {
  const ids = vms && new Set(vms.map(({ id }) => id))
  return run.owed().filter((one): one is OwedForVm => {
    if (one.run !== run.id || (one.what.kind !== 'snapshot' && one.what.kind !== 'overlays')) return false
    return ids === undefined || ids.has(one.what.vm.id)
  })
}

export type OwedForVm = Owed & { what: Obligation & { kind: 'snapshot' | 'overlays' } }

/** Removes the overlays of a VM that is seen to be merged from the secondary. */
export async function cleanAfter(
  run: Run,
  site: Site,
  ends: Ends,
  vm: VmRef,
  mine: readonly OwedForVm[],
  verdicts: Verdicts,
): Promise<void> {
  for (const owed of mine) {
    if (owed.what.kind !== 'overlays' || owed.what.vm.id !== vm.id) continue
    await dropOwed(run, site, ends, owed).catch((error: unknown) => {
      run.signal.throwIfAborted()
      const why = messageOf(error)
      verdicts.fail(vm.id, why)
      run.giveUp(owed, why)
    })
  }
}

/** Leaves a VM whose snapshot could not be merged to the next start. */
export function giveUpOn(
  run: Run,
  vm: VmRef,
  why: string,
  mine: readonly OwedForVm[],
  verdicts: Verdicts,
): void {
  verdicts.fail(vm.id, `its snapshot is not merged: ${why}`)
  for (const owed of mine) {
    if (owed.what.vm.id !== vm.id) continue
    run.giveUp(owed, owed.what.kind === 'snapshot' ? why : 'kept until its snapshot is merged on the primary')
  }
}

/**
 * Overlays of earlier runs that were kept because a recovery point stood on them: their merge has been replicated by now, and
 * with it their removal.
 */
async function forgetEarlier(run: Run, site: Site, ends: Ends, verdicts: Verdicts): Promise<void> {
  const owed = run.owed()
  const isUnmerged = unmergedAmong(owed)
  for (const one of owed) {
    const { what } = one
    if (one.run === run.id || what.kind !== 'overlays' || isUnmerged(one.run, what.vm)) continue
    try {
      // The base may have got another child since: only what is still there is put right.
      const isThere = await hasOverlay(ends.secondary, site.hypervisor.layout, what.domain, what.overlays)
      if (isThere) await dropOwed(run, site, ends, one)
      else run.strike(one)
    } catch (error) {
      run.signal.throwIfAborted()
      verdicts.fail(what.vm.id, messageOf(error))
    }
  }
}
