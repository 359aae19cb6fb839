import { describe, expect, test } from 'vitest'
import { isUsedUp, type Merge, nextMove, signsOfLife } from '../../src/backup/merge-state.ts'
import type { EngineEvent, Job, Observation } from '../../src/model/hypervisor.ts'
import type { Snapshot, Vm } from '../../src/model/vm.ts'
import { aDisk, aSnapshot, aVm, uuidOf } from '../support/vms.ts'

const description = 'vmbackup 20261121T000000Z-00000000'
const limits = { snapshotMs: 60_000, mergeMs: 600_000, mergeStallMs: 120_000 }
const base = aDisk('disk1').volume ?? ''
const overlay = uuidOf('overlay')
const began = 1_000_000

function aMerge(change: Partial<Merge> = {}): Merge {
  const vm = { id: aVm('web').id, name: 'web' }
  const overlays = [{ image: aDisk('disk1').id, base, overlay }]
  const what = { kind: 'snapshot', vm, domain: 'd', description, overlays } as const
  return {
    ...vm,
    owed: { id: 1, run: 'r', what },
    began,
    attempts: 0,
    tag: '',
    askedAt: 0,
    lastWhy: '',
    seen: '',
    // As if something moved at every look, unless a test says otherwise.
    seenSince: Number.POSITIVE_INFINITY,
    ...change,
  }
}

/** The merge was asked for, this long after it began. */
const asked = (change: Partial<Merge> = {}) => aMerge({ attempts: 1, tag: 'tag', askedAt: began, ...change })

const row = (change: Partial<Snapshot> = {}) => aSnapshot({ description, ...change })

function seen(
  vm: { snapshots?: Snapshot[]; runsOn?: string; disk?: Vm['disks'][0]['status'] } | 'gone',
  more: { job?: Job['state']; events?: EngineEvent[] } = {},
): Observation {
  const { job, events = [] } = more
  const jobs = job === undefined ? [] : [{ id: 'j', tag: 'tag', description: 'merge', state: job }]
  if (vm === 'gone') return { vms: new Map(), jobs, events }
  const disks = [aDisk('disk1', { volume: vm.runsOn ?? overlay, status: vm.disk ?? 'ok' })]
  const found = aVm('web', { disks, snapshots: vm.snapshots ?? [] })
  return { vms: new Map([[found.id, found]]), jobs, events }
}

const at = (seconds: number) => began + seconds * 1000

describe('before the merge was asked for', () => {
  test.each<[string, Observation, number, ReturnType<typeof nextMove>]>([
    ['the snapshot is complete: ask', seen({ snapshots: [row()] }), 0, { remove: 'row' }],
    ['the snapshot is still being made: wait', seen({ snapshots: [row({ status: 'locked' })] }), 0, 'wait'],
    ['it is in preview: wait', seen({ snapshots: [row({ status: 'in_preview' })] }), 0, 'wait'],
    ['a disk is locked: wait', seen({ snapshots: [row()], disk: 'locked' }), 0, 'wait'],
    [
      'it did not end in its time: stuck',
      seen({ snapshots: [row({ status: 'locked' })] }),
      61,
      { stuck: 'not done after 60 s' },
    ],
    ['the VM is missing from the look: look closer', seen('gone'), 0, 'look closer'],
    ['no row yet, the request may be on its way: wait', seen({ runsOn: base }), 9, 'wait'],
    ['no row for long, disks on their bases: done', seen({ runsOn: base }), 30, 'merged'],
    ['no row, but the disk runs on the overlay: wait', seen({ runsOn: overlay }), 30, 'wait'],
    ['the same for too long: stuck', seen({ runsOn: overlay }), 61, { stuck: 'not done after 60 s' }],
    [
      'only rows of others: done',
      seen({ runsOn: base, snapshots: [row({ description: 'mine' })] }),
      30,
      'merged',
    ],
    [
      'the active row has the same words: done',
      seen({ runsOn: base, snapshots: [row({ kind: 'active' })] }),
      30,
      'merged',
    ],
  ])('%s', (_what, observation, seconds, move) => {
    expect(nextMove(aMerge(), observation, at(seconds), limits)).toEqual(move)
  })
})

describe('after the merge was asked for', () => {
  test.each<[string, Observation, number, ReturnType<typeof nextMove>]>([
    ['its job runs: wait', seen({ snapshots: [row({ status: 'locked' })] }, { job: 'running' }), 60, 'wait'],
    ['the row went early while the job runs: wait', seen({ runsOn: base }, { job: 'running' }), 60, 'wait'],
    [
      'the row went early, the disk still runs on the overlay: wait',
      seen({}, { job: 'finished' }),
      60,
      'wait',
    ],
    ['row gone, job ended, disk on its base: done', seen({ runsOn: base }, { job: 'finished' }), 1, 'merged'],
    ['row gone, job forgotten, disk on its base: done', seen({ runsOn: base }), 60, 'merged'],
    ['the job does not show yet and the row is as before: wait', seen({ snapshots: [row()] }), 4, 'wait'],
    ['the job never showed and the row is ok: again', seen({ snapshots: [row()] }), 5, { remove: 'row' }],
    [
      'the job failed and the row is ok again: again',
      seen({ snapshots: [row()] }, { job: 'failed' }),
      1,
      { remove: 'row' },
    ],
    [
      'the job failed, the row is still locked: wait',
      seen({ snapshots: [row({ status: 'locked' })] }, { job: 'failed' }),
      1,
      'wait',
    ],
    ['the VM is missing from the look: look closer', seen('gone', { job: 'running' }), 1, 'look closer'],
    [
      'nothing ends it in its time: stuck',
      seen({}, { job: 'running' }),
      601,
      { stuck: 'not done after 600 s' },
    ],
  ])('%s', (_what, observation, seconds, move) => {
    expect(nextMove(asked(), observation, at(seconds), limits)).toEqual(move)
  })

  test('the third failure ends the tries and names what the engine said', () => {
    const event: EngineEvent = {
      id: 1,
      code: 357,
      meaning: 'merge failed',
      severity: 'error',
      text: 'no space',
      tag: 'tag',
    }
    const observation = seen({ snapshots: [row()] }, { job: 'failed', events: [event] })
    expect(nextMove(asked({ attempts: 2 }), observation, at(1), limits)).toEqual({ remove: 'row' })
    expect(nextMove(asked({ attempts: 3 }), observation, at(1), limits)).toEqual({
      stuck: '3 merges failed; the last: no space',
    })
  })

  test('the third failure that nobody explained says how often it was tried', () => {
    const observation = seen({ snapshots: [row()] }, { job: 'failed' })
    expect(nextMove(asked({ attempts: 3 }), observation, at(1), limits)).toEqual({ stuck: '3 merges failed' })
  })

  test('a third merge that succeeded is done all the same', () => {
    const observation = seen({ runsOn: base }, { job: 'finished' })
    expect(nextMove(asked({ attempts: 3 }), observation, at(1), limits)).toBe('merged')
  })
})

test('a disk that was taken off the VM no longer holds the merge up', () => {
  const { id } = aVm('web')
  const vms = new Map([[id, aVm('web', { disks: [] })]])
  expect(nextMove(asked(), { vms, jobs: [], events: [] }, at(1), limits)).toBe('merged')
})

test('tries are used up at the third', () => {
  expect([0, 1, 2, 3].map((attempts) => isUsedUp(aMerge({ attempts })))).toEqual([false, false, false, true])
})

describe('a merge that goes on', () => {
  const running = seen({ snapshots: [row({ status: 'locked' })] }, { job: 'running' })

  test('is stuck when nothing of it has moved for so long', () => {
    const merge = asked({ seenSince: at(10) })
    expect(nextMove(merge, running, at(130), limits)).toBe('wait')
    expect(nextMove(merge, running, at(131), limits)).toEqual({ stuck: 'nothing of it has moved for 121 s' })
  })

  test('shows another sign of life when its job moves on, its disk is unlocked or its row goes', () => {
    const signs = [
      running,
      { ...running, jobs: running.jobs.map((job) => ({ ...job, progress: 'step 40' })) },
      seen({ snapshots: [row({ status: 'locked' })], disk: 'locked' }, { job: 'running' }),
      seen({ snapshots: [] }, { job: 'running' }),
      seen({ snapshots: [row()], runsOn: base }, { job: 'running' }),
    ].map((observation) => signsOfLife(asked(), observation))
    expect(new Set(signs).size).toBe(signs.length)
  })
})

test('a VM that is never seen and never said to be gone is stuck in the end', () => {
  expect(nextMove(asked(), seen('gone'), at(600), limits)).toBe('look closer')
  expect(nextMove(asked(), seen('gone'), at(601), limits)).toEqual({ stuck: 'not done after 600 s' })
})
