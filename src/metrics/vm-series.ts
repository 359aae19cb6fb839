import type { VmView } from '../agent/view.ts'

/** How many VMs get series of their own. */
export interface VmLimits {
  /** With no more than these all of them do. */
  all: number
  /** With more, only so many: the ones nearest to a breach, or the longest in it. */
  worst: number
}

/**
 * A series per VM costs the Prometheus that keeps it memory for as long as it keeps anything, times every metric: up to a
 * thousand are harmless, ten thousand are not. Where there are too many, those that somebody has to look at remain.
 */
export const defaultLimits: VmLimits = { all: 1000, worst: 100 }

const rank = { breach: 0, warning: 1, ok: 2, none: 3 } as const satisfies Record<VmView['rpo'], number>

/** The VMs that get series of their own: of those that a job selects, all, or the worst, worst first. */
export function shownVms(vms: readonly VmView[], limits: VmLimits): VmView[] {
  const selected = vms.filter((vm) => vm.job !== undefined)
  if (selected.length <= limits.all) return selected
  // Times are read once each, not at every comparison.
  const placed = selected.map((vm) => ({ vm, rank: rank[vm.rpo], breach: breach(vm) }))
  placed.sort(
    (one, other) =>
      one.rank - other.rank || one.breach - other.breach || (one.vm.name < other.vm.name ? -1 : 1),
  )
  return placed.slice(0, limits.worst).map(({ vm }) => vm)
}

/** Who is in breach since nobody knows when comes first, who may never come into it last. */
function breach({ rpo, breachAt }: VmView): number {
  if (breachAt !== undefined) return Date.parse(breachAt)
  return rpo === 'breach' ? 0 : Number.MAX_SAFE_INTEGER
}
