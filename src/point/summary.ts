import type { FoundPoint, PointStatus } from './points.ts'

/** One row of `vmbackup points`. */
export interface PointSummary {
  run: string
  status: PointStatus
  /** Of the oldest state in it: how much would be lost by going back to it now. Absent when nothing can be claimed. */
  ageMs?: number
  finishedAt?: string
  comparison?: 'quick' | 'full' | 'off'
  primary?: string
  domain?: string
  protected: number
  failed: number
  leftOut: number
  why?: string
}

/** Pure: a manifest in a few words. */
export function summaryOf(found: FoundPoint, now: Date): PointSummary {
  const none = { run: found.run, status: found.status, protected: 0, failed: 0, leftOut: 0 }
  if (found.status === 'unreadable') return { ...none, why: found.why }
  const { point } = found
  const count = (state: string): number => point.vms.filter((vm) => vm.state === state).length
  const instants = point.vms.flatMap(({ asOf }) => (asOf === undefined ? [] : [Date.parse(asOf.earliest)]))
  return {
    ...none,
    ...(instants.length === 0 ? {} : { ageMs: now.getTime() - Math.min(...instants) }),
    ...(point.finishedAt === undefined ? {} : { finishedAt: point.finishedAt }),
    ...(point.comparison === undefined ? {} : { comparison: point.comparison.mode }),
    primary: point.primary.volume,
    domain: point.domain.name,
    protected: count('protected'),
    failed: count('failed'),
    leftOut: count('left out'),
    ...whyOf(found),
  }
}

function whyOf(found: FoundPoint): { why?: string } {
  if (found.status === 'overwritten') return { why: `overwritten by ${found.overwrittenBy}` }
  if (found.status === 'unfinished') return { why: 'its run is still at work or did not end well' }
  return {}
}
