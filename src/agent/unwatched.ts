import { known } from '../model/known.ts'
import type { InventoryVm } from './ports.ts'
import { isoTime } from './progress.ts'
import { judgeRpo } from './rpo.ts'
import { type PairStanding, standingOf } from './standing.ts'
import type { VmView } from './view.ts'

/**
 * VMs where no agent runs, by name: no run is expected, and nobody knows since when a VM without a recovery point has been waiting
 * for one, so its RPO counts as broken.
 */
export function unwatchedVms(
  inventory: readonly InventoryVm[],
  standings: ReadonlyMap<string, PairStanding>,
  now: number,
  warnPercent: number,
): VmView[] {
  const views = inventory.map((vm): VmView => {
    const standing = standingOf(vm.id, vm, standings)
    const { provedAsOf, state, why } = standing
    const verdict = judgeRpo(
      { rpoMs: vm.rpoMs, firstSeenAt: Number.NEGATIVE_INFINITY },
      standing,
      {},
      now,
      warnPercent,
    )
    const { rpo, breachAt = Number.NEGATIVE_INFINITY } = verdict
    return known({
      id: vm.id,
      name: vm.name,
      job: vm.whyNot === undefined ? vm.jobs[0] : undefined,
      policy: vm.policy,
      state,
      provedAsOf: provedAsOf === undefined ? undefined : isoTime(provedAsOf),
      rpoMs: vm.rpoMs,
      rpo,
      breachAt: Number.isFinite(breachAt) ? isoTime(breachAt) : undefined,
      why,
    })
  })
  return views.toSorted((a, b) => a.name.localeCompare(b.name) || a.id.localeCompare(b.id))
}
