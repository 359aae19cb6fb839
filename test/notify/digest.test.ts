import { describe, expect, test } from 'vitest'
import type { RunSummary, StatusView, VmView } from '../../src/agent/view.ts'
import { digestText, digestTitle } from '../../src/notify/digest.ts'
import { nextDigest } from '../../src/notify/digest-times.ts'
import { quietStatus } from '../support/quiet-status.ts'
import { aDesk } from './a-desk.ts'
import { anAlert, aRoute } from './an-alert.ts'

const pair = { primary: 'data', secondary: { host: 'gs1', volume: 'copy' } }
const vms = { protected: 2, failed: 0, leftOut: 0 }
const from = Date.parse('2026-11-20T06:00:00Z')
const to = Date.parse('2026-11-21T06:00:00Z')

function aRun(job: string | undefined, outcome: string, hour: number, why?: string): RunSummary {
  const finishedAt = new Date(from + hour * 3_600_000).toISOString()
  return {
    run: `run-${hour}`,
    ...(job === undefined ? {} : { job }),
    pair,
    outcome,
    startedAt: finishedAt,
    finishedAt,
    vms,
    ...(why === undefined ? {} : { why }),
  }
}

const web: VmView = {
  id: 'vm-1',
  name: 'web01',
  job: 'data',
  state: 'failed',
  provedAsOf: '2026-11-20T22:00:00Z',
  rpoMs: 14_400_000,
  rpo: 'breach',
  why: 'its snapshot could not be taken',
}

const status: StatusView = {
  ...quietStatus,
  jobs: [
    {
      name: 'data',
      pairs: [pair],
      schedule: 'every 4 h',
      state: 'waiting',
      provedAsOf: '2026-11-21T02:00:00Z',
      vms,
    },
    { name: 'mailbox', pairs: [pair], schedule: '@daily', state: 'paused', vms },
  ],
  vms: { ok: 40, warning: 1, breach: 1, none: 3 },
  behind: [web, { ...web, id: 'vm-2', name: 'db', rpo: 'warning', breachAt: '2026-11-21T07:30:00Z' }],
  troubles: [{ matter: 'engine', since: '2026-11-21T05:00:00Z', what: 'it does not answer' }],
  outbox: { waiting: 3, failing: 2 },
  owed: 1,
}
const runs = [
  aRun('data', 'protected', 20),
  aRun('data', 'failed', 8, 'the engine could not be reached'),
  aRun('data', 'failed', 12, 'the session is Faulty'),
  aRun('data', 'protected', 4),
  aRun(undefined, 'refused', 5, 'too little space'),
]

describe('a summary', () => {
  test('shows runs and outcomes per job, VMs behind, troubles and what is left open', () => {
    expect(digestTitle(status, runs)).toBe('summary: 1 VM behind RPO, 2 of 5 runs protected, 1 trouble')
    expect(digestText(status, runs, from, to, 'Europe/Vienna')).toMatchInlineSnapshot(`
      "From 2026-11-20 07:00 to 2026-11-21 07:00 (Europe/Vienna)

      VMs by RPO: 40 in time, 1 soon behind, 1 behind, 3 without an RPO

      Jobs
        data     proved 4 h 0 min ago; 4 runs: 2 protected, 2 failed
                 failed: the session is Faulty
        mailbox  nothing proved yet; no runs, paused
        of no job: 1 run: 1 refused

      VMs behind
        web01 (data)  proved 8 h 0 min ago, RPO 4 h 0 min: its snapshot could not be taken
        db (data)  proved 8 h 0 min ago, RPO 4 h 0 min, behind at 2026-11-21 08:30: its snapshot could not be taken

      Troubles
        engine, since 2026-11-21 06:00: it does not answer

      Left open
        1 obligation of earlier runs could not be settled: vmbackup recover
        2 messages could not be sent yet"
    `)
  })

  test('of a good day says that nothing needs anybody', () => {
    expect(digestTitle(quietStatus, [])).toBe('summary: no VM behind its RPO, no runs')
    expect(digestText(quietStatus, [], from, to, 'UTC')).toMatch(/Nothing needs you\.$/)
  })

  test('stays one screen, however much there is', () => {
    const many = <T>(count: number, one: (n: number) => T) => Array.from({ length: count }, (_, n) => one(n))
    const large: StatusView = {
      ...status,
      jobs: many(200, (n) => ({ name: `job-${n}`, pairs: [pair], schedule: '', state: 'waiting', vms })),
      behind: many(50, (n) => ({ ...web, name: `vm-${n}`, why: 'x'.repeat(5000) })),
      troubles: many(100, () => ({ matter: 'm', since: '2026-11-21T05:00:00Z', what: 'y'.repeat(5000) })),
    }
    const lines = digestText(large, runs, from, to, 'UTC').split('\n')
    expect(lines.length).toBeLessThan(65)
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(250)
    expect(lines).toContain('  and 180 more')
  })
})

describe('a summary is due', () => {
  const times = (route: Parameters<typeof nextDigest>[0], after: string, count: number) => {
    let at = Date.parse(after)
    return Array.from({ length: count }, () => {
      at = nextDigest(route, at) ?? Number.NaN
      return new Date(at).toISOString()
    })
  }

  test('every day at its time by the wall clock, also when that is changed', () => {
    const route = { digest: { minute: 420 }, timeZone: 'Europe/Vienna' }
    expect(times(route, '2026-10-24T00:00:00Z', 3)).toEqual([
      '2026-10-24T05:00:00.000Z',
      '2026-10-25T06:00:00.000Z',
      '2026-10-26T06:00:00.000Z',
    ])
  })

  test.each([
    ['does not exist', '2026-03-28T12:00:00Z', ['2026-03-29', '2026-03-30']],
    ['comes twice', '2026-10-24T12:00:00Z', ['2026-10-25', '2026-10-26']],
  ])('once on the day on which its time %s', (_what, after, days) => {
    const route = { digest: { minute: 150 }, timeZone: 'Europe/Vienna' }
    expect(times(route, after, 2).map((at) => at.slice(0, 10))).toEqual(days)
  })

  test('once a week on its day', () => {
    const route = { digest: { day: 1, minute: 0 }, timeZone: 'UTC' }
    const mondays = ['2026-11-23T00:00:00.000Z', '2026-11-30T00:00:00.000Z']
    expect(times(route, '2026-11-21T12:00:00Z', 2)).toEqual(mondays)
  })
})

describe('summaries of a route', () => {
  const routes = [
    aRoute('chief', {
      severity: 'none',
      webhook: 'https://chief.example.com/',
      digest: { minute: 420 },
      timeZone: 'UTC',
    }),
    aRoute('ops', { webhook: 'https://ops.example.com/' }),
  ]
  const hourMs = 3_600_000

  test('come at their time to its receivers only, and each begins where the last one ended', async () => {
    const spans: string[] = []
    const digest = (since: number, until: number) => {
      spans.push(
        `${new Date(since).toISOString().slice(5, 16)} ${new Date(until).toISOString().slice(5, 16)}`,
      )
      return { status, runs }
    }
    const desk = aDesk(routes, { digest })
    const { notifier } = desk.open()
    notifier.tell(anAlert())
    await desk.clock.pass(18 * hourMs)
    expect(desk.titles('webhook chief')).toEqual([])
    await desk.clock.pass(48 * hourMs)
    expect(desk.inbox('webhook chief').map(({ kind }) => kind)).toEqual(['digest', 'digest'])
    expect(desk.inbox('webhook ops').map(({ kind }) => kind)).toEqual(['run not protected'])
    expect(spans).toHaveLength(2)
    expect(spans[0]).toMatch(/^11-21T12:00 11-22T07:/)
    expect(spans[1]?.slice(0, 11)).toBe(spans[0]?.slice(12))
  })

  test('that were missed come once, at the next start', async () => {
    const desk = aDesk(routes)
    const first = desk.open()
    await desk.clock.pass(0)
    await first.end()
    await desk.clock.jump('2026-11-25T20:00:00Z')
    desk.open()
    await desk.clock.pass(2 * hourMs)
    expect(desk.titles('webhook chief')).toHaveLength(1)
    await desk.clock.pass(12 * hourMs)
    expect(desk.titles('webhook chief')).toHaveLength(2)
  })

  test('that cannot be made say so instead of being left out', async () => {
    const digest = () => {
      throw new Error('no such table')
    }
    const desk = aDesk(routes, { digest })
    desk.open()
    await desk.clock.pass(24 * hourMs)
    expect(desk.inbox('webhook chief')).toMatchObject([
      {
        severity: 'warning',
        title: 'summary: it could not be made',
        text: expect.stringContaining('no such table'),
      },
    ])
  })
})
