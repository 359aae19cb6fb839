import type { Observation } from '../model/hypervisor.ts'
import type { Snapshot, Vm, VmRef } from '../model/vm.ts'
import type { Obligation, Owed } from '../run/obligation.ts'
import { jobOf, volumeOf } from './observing.ts'

export type SnapshotOwed = Owed & { what: Obligation & { kind: 'snapshot' } }

/** One snapshot on its way out. */
export interface Merge extends VmRef {
  owed: SnapshotOwed
  began: number
  /** How often the engine was asked to merge; the last time under `tag`, at `askedAt`. */
  attempts: number
  tag: string
  askedAt: number
  lastWhy: string
}

export type Move = 'wait' | 'merged' | { remove: string } | { stuck: string }

/** How long an act's job may be invisible before the act counts as lost. */
const jobGraceMs = 5_000
/** A snapshot request that lost its answer may still be on its way into the engine: absence counts after so long. */
const lostRequestMs = 10_000
const mostAttempts = 3

/** Pure: what to do next about a merge, from what was seen. The engine's rows, jobs and disks can each be early alone. */
export function nextMove(
  merge: Merge,
  seen: Observation,
  now: number,
  limits: { snapshotMs: number; mergeMs: number },
): Move {
  const vm = seen.vms.get(merge.id)
  if (vm === undefined) return 'merged'
  const move = moveFor(merge, vm, seen, now)
  if (move === 'wait') {
    // Before the first merge is asked for, it is the snapshot itself that is not done.
    const limitMs = merge.attempts === 0 ? limits.snapshotMs : limits.mergeMs
    return now - merge.began > limitMs ? { stuck: `not done after ${limitMs / 1000} s` } : 'wait'
  }
  if (move === 'merged' || merge.attempts < mostAttempts) return move
  const why = eventOf(merge, seen) ?? merge.lastWhy
  return { stuck: `${merge.attempts} merges failed${why === '' ? '' : `; the last: ${why}`}` }
}

/** True when a refused request for a merge was the last one to be tried. */
export function isUsedUp(merge: Merge): boolean {
  return merge.attempts >= mostAttempts
}

function moveFor(
  merge: Merge,
  vm: Vm,
  seen: Observation,
  now: number,
): 'wait' | 'merged' | { remove: string } {
  const job = merge.tag === '' ? undefined : jobOf(seen, merge.tag)
  if (job?.state === 'running') return 'wait'
  const row = vm.snapshots.find(
    (one) => one.description === merge.owed.what.description && one.kind === 'regular',
  )
  if (row === undefined) return isMerged(merge, vm, now) ? 'merged' : 'wait'
  const jobMayCome = merge.attempts > 0 && job === undefined && now - merge.askedAt < jobGraceMs
  return jobMayCome || !isFree(row, vm) ? 'wait' : { remove: row.id }
}

function isFree(row: Snapshot, vm: Vm): boolean {
  return row.status === 'ok' && vm.disks.every((disk) => disk.status !== 'locked')
}

function isMerged(merge: Merge, vm: Vm, now: number): boolean {
  if (merge.attempts === 0 && now - merge.began < lostRequestMs) return false
  return merge.owed.what.overlays.every(({ image, overlay }) => volumeOf(vm, image) !== overlay)
}

function eventOf(merge: Merge, seen: Observation): string | undefined {
  return seen.events.find((one) => one.tag === merge.tag && one.meaning === 'merge failed')?.text
}
