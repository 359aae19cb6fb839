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
  /** True once the snapshot was seen: its request is not on its way any more. */
  wasThere?: boolean
  /** What was seen last, and since when it looks like that. */
  seen: string
  seenSince: number
}

/** `look closer`: the VM is missing, which may be the engine's fault. */
export type Move = 'wait' | 'merged' | 'look closer' | { remove: string } | { stuck: string }

/** How long an act's job may be invisible before the act counts as lost. */
const jobGraceMs = 5_000
/** A snapshot request that lost its answer may still be on its way into the engine: absence counts after so long. */
const lostRequestMs = 30_000
const mostAttempts = 3

/** Pure: what to do next about a merge, from what was seen. The engine's rows, jobs and disks can each be early alone. */
export function nextMove(merge: Merge, seen: Observation, now: number, limits: Limits): Move {
  const vm = seen.vms.get(merge.id)
  const move = vm === undefined ? 'look closer' : moveFor(merge, vm, seen, now)
  if (move === 'wait' || move === 'look closer') {
    const late = lateness(merge, now, limits)
    return late === undefined ? move : { stuck: late }
  }
  if (move === 'merged' || merge.attempts < mostAttempts) return move
  const why = eventOf(merge, seen) ?? merge.lastWhy
  return { stuck: `${merge.attempts} merges failed${why === '' ? '' : `; the last: ${why}`}` }
}

interface Limits {
  snapshotMs: number
  mergeMs: number
  mergeStallMs: number
}

/** Why it has been waited long enough. */
function lateness(merge: Merge, now: number, limits: Limits): string | undefined {
  // Before the first merge is asked for, it is the snapshot itself that is not done, unless another run is merging it.
  const limitMs = merge.attempts === 0 && merge.owed.what.shared !== true ? limits.snapshotMs : limits.mergeMs
  if (now - merge.began > limitMs) return `not done after ${limitMs / 1000} s`
  const stalledMs = now - merge.seenSince
  if (merge.attempts === 0 || stalledMs <= limits.mergeStallMs) return undefined
  return `nothing of it has moved for ${Math.round(stalledMs / 1000)} s`
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

/** All of a merge that moves while it goes on, as one text: what stays the same for long is stuck. */
export function signsOfLife(merge: Merge, seen: Observation): string {
  const vm = seen.vms.get(merge.id)
  const job = jobOf(seen, merge.tag)
  const rows = vm?.snapshots.map(({ id, status }) => `${id} ${status}`) ?? []
  const disks = vm?.disks.map(({ id, volume, status }) => `${id} ${volume} ${status}`) ?? []
  return [merge.attempts, job?.state, job?.progress, ...rows, ...disks].join('; ')
}

function isFree(row: Snapshot, vm: Vm): boolean {
  return row.status === 'ok' && vm.disks.every((disk) => disk.status !== 'locked')
}

function isMerged(merge: Merge, vm: Vm, now: number): boolean {
  if (merge.attempts === 0 && !merge.wasThere && now - merge.began < lostRequestMs) return false
  return merge.owed.what.overlays.every(({ image, overlay }) => volumeOf(vm, image) !== overlay)
}

function eventOf(merge: Merge, seen: Observation): string | undefined {
  return seen.events.find((one) => one.tag === merge.tag && one.meaning === 'merge failed')?.text
}
