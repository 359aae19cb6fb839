import stringWidth from 'string-width'
import { describe, expect, test } from 'vitest'
import type { StatusView } from '../../src/agent/view.ts'
import { paintFor } from '../../src/cli/paint.ts'
import { renderJobs } from '../../src/cli/render-jobs.ts'
import { renderKnownPoints } from '../../src/cli/render-points.ts'
import { renderRuns } from '../../src/cli/render-runs.ts'
import { renderStatus } from '../../src/cli/render-status.ts'
import { nextEnds, renderVms } from '../../src/cli/render-vms.ts'
import { ago, aJob, aRun, aStatus, aVmView, look, pair } from './agent-views.ts'

const { lastRun: _, provedAsOf: __, nextStart: ___, rpoMs: ____, ...web } = aJob({ name: 'web' })

const busy: StatusView = aStatus({
  troubles: [{ since: ago(13), matter: 'engine', what: 'it does not answer' }],
  jobs: [
    aJob({ state: 'running', vms: { protected: 11, failed: 1, leftOut: 1 } }),
    { ...web, state: 'paused', vms: { protected: 0, failed: 0, leftOut: 0 } },
  ],
  running: [
    {
      job: 'nightly',
      run: 'R',
      pair,
      startedAt: ago(7),
      step: 'replicate',
      stepStartedAt: ago(3),
      waiting: 'checkpoint on 1 of 3 bricks',
      done: 3,
      of: 12,
      leftMs: 4 * 60_000,
    },
  ],
  vms: { ok: 10, warning: 1, breach: 1, none: 1 },
  behind: [
    aVmView('db', { rpo: 'breach', breachAt: ago(20), provedAsOf: ago(260), why: 'torn' }),
    aVmView('web01', { rpo: 'warning', breachAt: ago(-17), provedAsOf: ago(223), forecast: 'late' }),
  ],
  lastRuns: [
    aRun(),
    aRun({ outcome: 'failed', vms: { protected: 0, failed: 0, leftOut: 0 }, why: 'no\nsession' }),
  ],
  outbox: { waiting: 3, failing: 1 },
  owed: 2,
})

test('a status names what is wrong, what goes on, the jobs, VMs behind their RPO, and the last runs', () => {
  expect(renderStatus(busy, look)).toMatchInlineSnapshot(`
    "vmbackup 0.1.0, running for 1 d 6 h, 14:03:22
    ! engine, since 13:50: it does not answer
    ! 2 things are owed: vmbackup recover --dry-run
    ! 3 not sent yet (mail, webhook, engine), 1 of them failed before

    > nightly  data to gs1:data-dr  replicate  3 min 0 s  3/12 VMs  run 7 min 0 s  about 4 min left
      waiting for checkpoint on 1 of 3 bricks

    JOB      STATE    NEXT RUN  LAST RUN         OLDEST POINT  RPO  PROTECTED
    -------  -------  --------  ---------------  ------------  ---  ---------
    nightly  running  15:03     protected 13:12  1 h 2 min     4 h  11 of 12
    web      paused   -         none yet         -             -    -

    RPO of VMs: 10 in time, 1 about to break, 1 broken, 1 without

    VM     JOB      AGE         RPO  FORECAST                              REASON
    -----  -------  ----------  ---  ------------------------------------  ------
    db     nightly  4 h 20 min  4 h  broken since 13:43, a run ends 14:07  torn
    web01  nightly  3 h 43 min  4 h  breaks at 14:20, a run ends 14:07

    RUN                        JOB      OUTCOME    STARTED  TOOK        PROTECTED  REASON
    -------------------------  -------  ---------  -------  ----------  ---------  ----------
    20261124T130000Z-0a1b2c3d  nightly  protected  13:00    12 min 0 s  12 of 12
    20261124T130000Z-0a1b2c3d  nightly  failed     13:00    12 min 0 s  -          no session"
  `)
})

test('a status of an agent that has nothing to do is short', () => {
  const idle = aStatus({ jobs: [], vms: { ok: 0, warning: 0, breach: 0, none: 0 }, lastRuns: [] })
  expect(renderStatus(idle, look)).toMatchInlineSnapshot(`
    "vmbackup 0.1.0, running for 1 d 6 h, 14:03:22

    no job is configured

    no run has ended yet"
  `)
})

describe('on a terminal', () => {
  const colour = new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`)
  const paint = paintFor({ isTTY: true }, {})
  const wide = aStatus({ ...busy, behind: busy.behind.map((vm) => ({ ...vm, name: `データ-${vm.name}` })) })

  test.each([1, 5, 20, 40, 60, 80, 100, 200])('%d columns are not overrun', (columns) => {
    const lines = renderStatus(wide, { ...look, paint, columns }).split('\n')
    for (const line of lines) expect(stringWidth(line), line).toBeLessThanOrEqual(columns)
    expect(lines.join('')).toMatch(colour)
  })

  test.each([1, 2, 10, 24, 100])('%d rows are not overrun, and the top stays', (rows) => {
    const lines = renderStatus(wide, { ...look, rows }).split('\n')
    expect(lines.length).toBeLessThanOrEqual(Math.max(2, rows))
    expect(lines[0]).toContain('vmbackup 0.1.0')
  })

  test('of many VMs behind their RPO the worst are shown and the others counted', () => {
    const behind = Array.from({ length: 50 }, (_unused, index) => aVmView(`vm${index}`, { rpo: 'breach' }))
    const status = aStatus({ behind, vms: { ok: 0, warning: 0, breach: 60, none: 0 } })
    const text = renderStatus(status, { ...look, rows: 50 })
    expect(text).toContain('vm7 ')
    expect(text).not.toContain('vm8 ')
    expect(text).toContain('and 52 more: vmbackup vms')
  })

  test('a colour that was cut through ends', () => {
    const text = renderStatus(wide, { ...look, paint, columns: 12 })
    const esc = String.fromCharCode(27)
    for (const line of text.split('\n')) {
      const opened = line.split(`${esc}[31m`).length
      expect(line.split(`${esc}[39m`).length, line).toBeGreaterThanOrEqual(opened)
    }
  })
})

test('VMs are listed with policy, job, age, RPO, forecast and next run', () => {
  const { job: _job, policy: _policy, provedAsOf: _at, nextStart: _next, rpoMs: _rpo, ...bare } = aVmView('x')
  const { provedAsOf: _proved, breachAt: _breach, ...fresh } = aVmView('x')
  const vms = [
    ...busy.behind,
    aVmView('web02'),
    { ...fresh, name: 'new', state: 'waiting', rpo: 'breach' } as const,
    { ...bare, name: 'alone', state: 'not selected', rpo: 'none' } as const,
    { ...bare, name: 'lost', state: 'failed', rpo: 'breach', breachAt: ago(3 * 1440) } as const,
  ]
  expect(renderVms(vms, nextEnds(aStatus(), look.now), look)).toMatchInlineSnapshot(`
    "VM     POLICY  JOB      STATE         PROVED AS OF  AGE         RPO  FORECAST                                   NEXT RUN  REASON
    -----  ------  -------  ------------  ------------  ----------  ---  -----------------------------------------  --------  ------
    db     gold    nightly  protected     09:43         4 h 20 min  4 h  broken since 13:43, next run ends 15:15    15:03     torn
    web01  gold    nightly  protected     10:20         3 h 43 min  4 h  breaks at 14:20, next run ends 15:15       15:03
    web02  gold    nightly  protected     13:01         1 h 2 min   4 h  ok                                         15:03
    new    gold    nightly  waiting       never         -           4 h  never proved, next run ends 15:15          15:03
    alone  -       -        not selected  never         -           -    -                                          -
    lost   -       -        failed        never         -           -    broken since Sat 14:03, no job selects it  -"
  `)
})

test('where nobody knows how long a run takes, its start is told', () => {
  const { expectedMs: _ms, ...job } = aJob()
  const vm = aVmView('web01', { rpo: 'warning', breachAt: ago(-17) })
  const text = renderVms([vm], nextEnds({ jobs: [job], running: [] }, look.now), look)
  expect(text).toContain('breaks at 14:20, next run starts 15:03')
  const { nextStart: _start, ...never } = vm
  expect(renderVms([never], new Map(), look)).toContain('breaks at 14:20, no run is planned')
})

test('jobs are listed with their schedule and all their volumes', () => {
  const other = { primary: 'fast', secondary: { host: 'gs1', volume: 'fast-dr' } }
  expect(renderJobs([aJob({ pairs: [pair, other] })], look)).toMatchInlineSnapshot(`
    "JOB      STATE    NEXT RUN  LAST RUN         OLDEST POINT  RPO  PROTECTED  SCHEDULE   VOLUMES
    -------  -------  --------  ---------------  ------------  ---  ---------  ---------  -------------------
    nightly  waiting  15:03     protected 13:12  1 h 2 min     4 h  12 of 12   every 4 h  data to gs1:data-dr
                                                                                          fast to gs1:fast-dr"
  `)
})

test('runs are listed with job, outcome and reason', () => {
  expect(renderRuns(busy.lastRuns, look)).toMatchInlineSnapshot(`
    "RUN                        JOB      OUTCOME    STARTED  TOOK        PROTECTED  VOLUMES              REASON
    -------------------------  -------  ---------  -------  ----------  ---------  -------------------  ----------
    20261124T130000Z-0a1b2c3d  nightly  protected  13:00    12 min 0 s  12 of 12   data to gs1:data-dr
    20261124T130000Z-0a1b2c3d  nightly  failed     13:00    12 min 0 s  -          data to gs1:data-dr  no session"
  `)
  expect(renderRuns([], look)).toBe('no run has ended yet')
})

test('points that runs have reported are listed with their state', () => {
  const point = { run: 'R2', job: 'nightly', pair, state: 'ready', asOf: ago(62), madeAt: ago(51) } as const
  const vms = { protected: 12, failed: 1, leftOut: 0 }
  const old = { run: 'R1', pair, state: 'overwritten', madeAt: ago(300), vms } as const
  expect(renderKnownPoints([{ ...point, vms }, old], look)).toMatchInlineSnapshot(`
    "POINT  JOB      AGE        STATE        PROTECTED  FAILED  LEFT OUT  VOLUMES
    -----  -------  ---------  -----------  ---------  ------  --------  -------------------
    R2     nightly  1 h 2 min  ready        12         1       0         data to gs1:data-dr
    R1     -        -          overwritten  12         1       0         data to gs1:data-dr"
  `)
  expect(renderKnownPoints([], look)).toContain('no run')
})
