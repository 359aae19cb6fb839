import { messageOf } from '../model/errors.ts'
import type { Observation } from '../model/hypervisor.ts'
import type { Site } from '../model/site.ts'
import type { VmRef } from '../model/vm.ts'
import { conveyor } from '../run/conveyor.ts'
import type { RunEvent } from '../run/event.ts'
import type { Owed } from '../run/obligation.ts'
import type { Run } from '../run/run.ts'
import { isUsedUp, type Merge, type Move, nextMove, type SnapshotOwed, signsOfLife } from './merge-state.ts'
import { newTag, tagPrefix } from './names.ts'
import { namesOf } from './observing.ts'
import type { BackupOptions } from './options.ts'

/**
 * Merges the snapshots owed, a few at once: looks first, so that it ends well for a snapshot that never came to be, is
 * still being made, is half merged or gone. Strikes what is seen to be merged and tells `merged` or `stuck` for each.
 */
export async function mergeSnapshots(
  run: Run,
  site: Site,
  owed: readonly Owed[],
  options: BackupOptions,
  told: {
    merged(vm: VmRef): Promise<void> | void
    stuck(owed: Owed, vm: VmRef, why: string): void
  },
): Promise<void> {
  const merges = owed.filter((one): one is SnapshotOwed => one.what.kind === 'snapshot').map(mergeOf)
  if (merges.length === 0) return
  const hosts = await hostsOf(run, site, merges)
  let done = 0

  await conveyor<Merge, Ended>(merges, {
    parallel: options.mergesAtOnce,
    perLane: options.mergesPerHost,
    lane: ({ id }) => hosts.get(id),
    longestPauseMs: options.intervalMs,
    clock: run.clock,
    signal: run.signal,
    begin: async (merge) => {
      merge.began = run.clock.now()
      merge.seenSince = merge.began
    },
    fail: (_merge, error) => ({ stuck: String(error) }),
    look: async (underWay) => {
      run.emit({ kind: 'waiting', what: `merges of ${namesOf(underWay)}` })
      const seen = await site.hypervisor.observe(underWay, tagPrefix(run.id), run.signal)
      // All by the time of this look, and at once: one that the engine keeps waiting must not make another look stuck.
      const now = run.clock.now()
      const ended = new Map<Merge, Ended>()
      await Promise.all(
        underWay.map(async (merge) => {
          noteSigns(merge, seen, now)
          const result = await make(run, site, merge, nextMove(merge, seen, now, options))
          if (result !== undefined) ended.set(merge, result)
        }),
      )
      return ended
    },
    ended: async (merge, result, at) => {
      done += 1
      const { vm } = merge.owed.what
      const did = result === 'merged' ? result : `not merged: ${result.stuck}`
      run.emit({ kind: 'vm', vm, did, done, of: merges.length, ...askedFor(merge, at) })
      if (result !== 'merged') return told.stuck(merge.owed, vm, result.stuck)
      run.strike(merge.owed)
      await told.merged(vm)
    },
  })
}

type Ended = 'merged' | { stuck: string }

function mergeOf(owed: SnapshotOwed): Merge {
  const { id, name } = owed.what.vm
  return {
    owed,
    id,
    name,
    began: 0,
    attempts: 0,
    tag: '',
    askedAt: 0,
    lastWhy: '',
    seen: '',
    seenSince: 0,
  }
}

/** Nothing where there was nothing to merge. */
function askedFor({ attempts: times, began }: Merge, now: number): Pick<RunEvent & { kind: 'vm' }, 'asked'> {
  return times === 0 ? {} : { asked: { act: 'merge', times, ms: now - began } }
}

/** Where the VMs run: a merge loads its host. */
async function hostsOf(run: Run, site: Site, merges: readonly Merge[]): Promise<Map<string, string>> {
  const { vms } = await site.hypervisor.observe(merges, tagPrefix(run.id), run.signal)
  return new Map(
    [...vms].flatMap(([id, { hostId }]): [string, string][] => (hostId === undefined ? [] : [[id, hostId]])),
  )
}

function noteSigns(merge: Merge, seen: Observation, now: number): void {
  const rows = seen.vms.get(merge.id)?.snapshots ?? []
  merge.wasThere ||= rows.some(({ description }) => description === merge.owed.what.description)
  const signs = signsOfLife(merge, seen)
  if (signs === merge.seen) return
  merge.seen = signs
  merge.seenSince = now
}

/** Makes the move; a refusal (the VM is migrating, locked, ...) counts as an attempt, and the next look tries again. */
async function make(run: Run, site: Site, merge: Merge, move: Move): Promise<Ended | undefined> {
  if (move === 'wait') return undefined
  if (move === 'look closer') {
    // An engine that has just started, or a search that skips a row: only "there is no such VM" is an answer.
    return (await site.hypervisor.isGone(merge, run.signal)) ? 'merged' : undefined
  }
  if (move === 'merged' || 'stuck' in move) return move
  merge.attempts += 1
  merge.tag = newTag(run)
  merge.askedAt = run.clock.now()
  try {
    await site.hypervisor.removeSnapshot(merge, move.remove, merge.tag, run.signal)
  } catch (error) {
    run.signal.throwIfAborted()
    merge.lastWhy = messageOf(error)
    if (isUsedUp(merge)) return { stuck: merge.lastWhy }
  }
  return undefined
}
