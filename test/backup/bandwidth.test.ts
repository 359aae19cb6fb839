import { afterAll, expect, test } from 'vitest'
import { restoreBandwidth } from '../../src/backup/bandwidth.ts'
import type { BackupOptions } from '../../src/backup/options.ts'
import { replicate } from '../../src/backup/replicate.ts'
import type { Progress, Replication, SessionState } from '../../src/model/replication.ts'
import type { Windowed } from '../../src/model/window.ts'
import { createStage, quickOptions, volumeAt } from '../support/stage.ts'
import { aRun } from './a-run.ts'

const stage = await createStage([])
afterAll(() => stage[Symbol.asyncDispose]())

const everyDay = [0, 1, 2, 3, 4, 5, 6]
/** So that all of them are a second apart: its workers come up. */
const looks = (count: number): Progress[] => [
  ...Array.from(
    { length: count },
    (): Progress => ({ state: 'waiting', reached: 0, of: 1, busy: true, atWork: false, detail: 'crawl' }),
  ),
  { state: 'reached' },
]

/** A run at that time, and a session that tells what it was told to do while what was owed. */
function aSession(time: string, bandwidth?: Windowed<number>[], change: Partial<Replication> = {}) {
  let now = Date.parse(time)
  const run = aRun({
    clock: {
      now: () => now,
      sleep: async (ms) => {
        now += ms
      },
    },
  })
  const acts: string[] = []
  let state: SessionState = 'stopped'
  let limit = 'none'
  let told: Progress[] = []
  const owes = () => (run.owed().some(({ what }) => what.kind === 'bandwidth') ? ', owed' : '')
  const replication: Replication = {
    ...stage.replicated.replication,
    session: async () => ({ state, bricks: [] }),
    start: async () => {
      acts.push('start')
      state = 'active'
    },
    stop: async () => {
      acts.push('stop')
      state = 'stopped'
    },
    mark: async () => undefined,
    marked: async () => ({ at: 1 }),
    nudge: async () => undefined,
    limitFound: async () => ({ limit }),
    limit: async (rate) => {
      acts.push(`${state}: limit ${rate}${owes()}`)
      limit = String(rate)
    },
    unlimit: async (found) => {
      acts.push(`${state}: as found, ${found['limit']}`)
      limit = found['limit'] ?? ''
    },
    progress: async () => told.shift() ?? { state: 'reached' },
    ...change,
  }
  const site = { hypervisor: stage.engine.hypervisor, replication }
  const options: BackupOptions = {
    ...quickOptions,
    timeZone: 'Europe/Vienna',
    replicationMs: 86_400_000,
    ...(bandwidth === undefined ? {} : { bandwidth }),
  }
  const go = (progress: Progress[] = [], turn: 'whole' | 'again' = 'whole') => {
    told = [...progress]
    return replicate(run, site, volumeAt('/p'), options, turn)
  }
  const left = () => run.events.flatMap((event) => (event.kind === 'waiting' ? [event.leftMs] : []))
  return { run, site, acts, go, left, owed: () => run.owed().map(({ what }) => what.kind) }
}

test('without a rate of the job nothing is asked and nothing changed', async () => {
  const { acts, go, owed } = aSession('2026-11-23T09:00:00Z')
  await go()
  expect(acts).toEqual(['start', 'stop'])
  expect(owed()).toEqual([])
})

test('the limit is owed before it is set, set before the start, and restored as it was found', async () => {
  const { acts, go, owed, run, site } = aSession('2026-11-23T09:00:00Z', [{ value: 2_097_152 }])
  await go()
  expect(acts).toEqual(['stopped: limit 2097152, owed', 'start', 'stop'])
  expect(owed()).toEqual(['bandwidth'])
  await restoreBandwidth(run, site, run.owed())
  expect(acts.at(-1)).toBe('stopped: as found, none')
  expect(owed()).toEqual([])
})

test('a second turn of the same run does not take our own limit for what was found', async () => {
  const { acts, go, owed, run, site } = aSession('2026-11-23T09:00:00Z', [{ value: 1_048_576 }])
  await go()
  await go([], 'again')
  expect(owed()).toEqual(['bandwidth'])
  await restoreBandwidth(run, site, run.owed())
  expect(acts.at(-1)).toBe('stopped: as found, none')
})

test('neither does a run after one that could not restore it', async () => {
  const { acts, go, run, site } = aSession('2026-11-23T09:00:00Z', [{ value: 1_048_576 }])
  await site.replication.limit(5, { limit: 'none' }, run.signal)
  const earlier = {
    id: 0,
    run: 'an earlier run',
    what: { kind: 'bandwidth', found: { limit: 'none' } },
  } as const
  const owed = run.owed
  Object.assign(run, { owed: () => [...owed(), earlier] })
  await go()
  await restoreBandwidth(run, site, owed())
  expect(acts.at(-1)).toBe('stopped: as found, none')
})

test('the clock of the zone decides, and a limit that begins or ends in mid-run restarts the session once', async () => {
  const office = { days: [1, 2, 3, 4, 5], from: 8 * 60, to: 8 * 60 + 1 }
  const { acts, go } = aSession('2026-11-23T06:59:30Z', [{ value: 1_048_576, window: office }])
  await go(looks(120))
  expect(acts).toEqual([
    'start',
    'stop',
    'stopped: limit 1048576, owed',
    'start',
    'stop',
    'stopped: as found, none',
    'start',
    'stop',
  ])
})

test('a limit that cannot be lifted in mid-run is told, stays owed and does not end the run', async () => {
  const office = { days: [1, 2, 3, 4, 5], from: 8 * 60, to: 8 * 60 + 1 }
  const limits = [{ value: 1_048_576, window: office }]
  const { acts, go, owed, run } = aSession('2026-11-23T07:00:30Z', limits, {
    unlimit: () => Promise.reject(new Error('gp3 does not answer')),
  })
  await go(looks(120))
  expect(acts).toEqual(['stopped: limit 1048576, owed', 'start', 'stop', 'start', 'stop'])
  expect(owed()).toEqual(['bandwidth'])
  expect(run.events).toContainEqual({
    kind: 'note',
    severity: 'warning',
    text: 'the session keeps its limit for now: gp3 does not answer',
  })
})

test('no limit is changed while the session cannot be stopped', async () => {
  const { go, owed, run, site } = aSession('2026-11-23T09:00:00Z', [{ value: 1_048_576 }], {
    start: () => Promise.reject(new Error('no answer')),
  })
  await expect(go()).rejects.toThrow('no answer')
  await expect(restoreBandwidth(run, site, run.owed())).rejects.toThrow('restart its workers')
  expect(owed()).toEqual(['bandwidth', 'session'])
})

test('a rate that no window gives at the moment is none', async () => {
  const night = { days: everyDay, from: 22 * 60, to: 6 * 60 }
  const { acts, go, owed } = aSession('2026-11-23T09:00:00Z', [{ value: 1_048_576, window: night }])
  await go()
  expect([acts, owed()]).toEqual([['start', 'stop'], []])
})

test('how long it will take is told by what earlier runs took under the same limit', async () => {
  const { go, left } = aSession('2026-11-23T09:00:00Z')
  await go(looks(30))
  expect(new Set(left())).toEqual(new Set([undefined]))
  await go(looks(30))
  expect(left()[30]).toBe(30_000)
  expect(left()[40]).toBe(20_000)
  await go(looks(3), 'again')
  expect(left().slice(60)).toEqual([undefined, undefined, undefined])
})

test('and before that by the pace of what is pending', async () => {
  const { go, left } = aSession('2026-11-23T09:00:00Z')
  await go(looks(20).map((one, at) => (one.state === 'waiting' ? { ...one, pending: 200 - at * 5 } : one)))
  expect(left()[9]).toBeUndefined()
  expect(left()[12]).toBe(28_000)
})
