import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { historyIn } from '../../src/agent/history.ts'
import { nameOfPair } from '../../src/model/pair.ts'
import { ledgerIn, overwrittenBy } from '../../src/run/keeping.ts'
import { Ledger } from '../../src/run/ledger.ts'
import type { Report } from '../../src/run/report.ts'

const pair = { primary: 'data', secondary: { host: 'dr1', volume: 'data-dr' } }
let dir: string

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'vmbackup-history-'))
})
afterEach(() => rm(dir, { recursive: true, force: true }))

/** The report of a run at that hour. */
function aReport(hour: number, change: Partial<Report> = {}): Report {
  const startedAt = `2026-11-21T${String(hour).padStart(2, '0')}:00:00.000Z`
  const asOf = { earliest: startedAt, latest: startedAt }
  return {
    version: 1,
    run: `20261121T${String(hour).padStart(2, '0')}0000Z-0000000${hour % 10}`,
    job: 'nightly',
    outcome: 'partly protected',
    startedAt,
    finishedAt: startedAt.replace(':00:00', ':30:00'),
    ...pair,
    steps: [],
    vms: [
      { id: 'a', name: 'a', disks: [], state: 'protected', consistency: 'frozen', content: 'samples', asOf },
      { id: 'b', name: 'b', disks: [], state: 'failed', why: 'gone' },
      { id: 'c', name: 'c', disks: [], state: 'left out', why: 'not selected' },
    ],
    overwrote: true,
    manifest: 'vmbackup/points/1.json',
    warnings: [],
    leftOpen: [],
    ...change,
  }
}

function keep(...reports: Report[]): void {
  using ledger = new Ledger(ledgerIn(dir), nameOfPair(pair))
  for (const report of reports) {
    ledger.remember(report)
    ledger.note(overwrittenBy, report.run)
  }
}

test('runs are told newest first, in short, those of one job or all, as many as are asked for', () => {
  keep(aReport(1), aReport(2, { job: 'other' }), aReport(3, { error: { message: 'no space', causes: [] } }))
  const history = historyIn(dir)
  expect(history.runs({ limit: 2 }).map(({ startedAt }) => startedAt.slice(11, 13))).toEqual(['03', '02'])
  expect(history.runs({ job: 'nightly', limit: 9 }).map(({ startedAt }) => startedAt.slice(11, 13))).toEqual([
    '03',
    '01',
  ])
  expect(history.runs({ limit: 1 })).toEqual([
    {
      run: '20261121T030000Z-00000003',
      job: 'nightly',
      pair,
      outcome: 'partly protected',
      startedAt: '2026-11-21T03:00:00.000Z',
      finishedAt: '2026-11-21T03:30:00.000Z',
      vms: { protected: 1, failed: 1, leftOut: 1 },
      why: 'no space',
    },
  ])
})

test('runs that ended after a moment and up to another one', () => {
  keep(aReport(1), aReport(2), aReport(3))
  const [from, to] = [Date.parse('2026-11-21T01:30:00.000Z'), Date.parse('2026-11-21T02:30:00.000Z')]
  expect(historyIn(dir).runs({ limit: 9, from, to })).toMatchObject([{ run: aReport(2).run }])
})

test('what is kept or forgotten meanwhile shows at the next question', () => {
  keep(aReport(1))
  const history = historyIn(dir)
  expect(history.runs({ limit: 9 })).toHaveLength(1)
  keep(aReport(2))
  expect(history.runs({ limit: 9 })).toMatchObject([{ run: aReport(2).run }, { run: aReport(1).run }])
  {
    using ledger = new Ledger(ledgerIn(dir), nameOfPair(pair))
    ledger.forgetBefore(new Date('2026-11-21T01:30:00.000Z'), undefined)
  }
  expect(history.runs({ limit: 9 })).toMatchObject([{ run: aReport(2).run }])
})

test('points: the last one stands, earlier ones are overwritten, and one without a manifest is unfinished', () => {
  const { manifest: _, ...unfinished } = aReport(2)
  keep(aReport(1), unfinished, aReport(4, { overwrote: false }), aReport(3))
  const points = historyIn(dir).points(9)
  expect(points.map(({ run, state }) => [run, state])).toEqual([
    [aReport(3).run, 'ready'],
    [aReport(2).run, 'unfinished'],
    [aReport(1).run, 'overwritten'],
  ])
  expect(points[0]).toMatchObject({ asOf: aReport(3).startedAt, madeAt: aReport(3).finishedAt, pair })
})

test('where there is no history there is nothing', () => {
  const history = historyIn(join(dir, 'none'))
  expect([history.runs({ limit: 9 }), history.points(9), history.owed()]).toEqual([[], [], 0])
})
