import { expect, onTestFinished, test } from 'vitest'
import { StatusView } from '../../src/agent/view.ts'
import type { JobConfig } from '../../src/config/keys.ts'
import { Unknown } from '../../src/model/errors.ts'
import { agentStage, aJob } from './agent-stage.ts'

const hour = 3_600_000
const nightly = { schedule: '0 2 * * *', timeZone: 'UTC' }

function stageOf(jobs: JobConfig[], vmsOf: Record<string, string[]> = { data: ['web'], mail: ['mx'] }) {
  const stage = agentStage(jobs, '2026-11-20T12:00:00Z', vmsOf)
  onTestFinished(() => stage.end())
  const runs = () =>
    stage.lines.filter((line) => / run \w+ (starts|ends)/.test(line)).map((line) => line.slice(11))
  const told = () =>
    stage.lines.filter((line) => / {4}(normal|warning|alert): /.test(line)).map((line) => line.slice(13))
  return { ...stage, runs, told }
}

test('a job by the clock does not start when the agent is started for the first time', async () => {
  const stage = stageOf([aJob('data', nightly)])
  await stage.until('2026-11-21T01:59:00Z')
  expect(stage.runs()).toEqual([])
  await stage.until('2026-11-21T02:30:00Z')
  expect(stage.runs()).toEqual(['run data starts', 'run data ends: protected'])
})

test('runs that were missed are told with their number, and one is made for all of them', async () => {
  const stage = stageOf([aJob('data', { schedule: '0 */4 * * *', timeZone: 'UTC' })])
  await stage.until('2026-11-20T12:30:00Z')
  await stage.kill()
  await stage.until('2026-11-21T13:00:00Z')
  stage.start()
  await stage.until('2026-11-21T13:30:00Z')
  expect(stage.told()[0]).toBe('warning: data: 6 runs since 2026-11-20 16:00 were missed')
  expect(stage.runs()).toEqual(['run data starts', 'run data ends: protected'])
})

test('runs that were missed are only told where catch_up is off', async () => {
  const stage = stageOf([aJob('data', { ...nightly, catchUp: false })])
  await stage.kill()
  await stage.until('2026-11-21T10:00:00Z')
  stage.start()
  await stage.until('2026-11-21T20:00:00Z')
  expect(stage.told()).toEqual(['warning: data: the run of 2026-11-21 02:00 was missed'])
  expect(stage.runs()).toEqual([])
})

test('a machine that slept makes up for what it missed', async () => {
  const stage = stageOf([aJob('data', nightly)])
  await stage.until('2026-11-20T13:00:00Z')
  stage.clock.set(Date.parse('2026-11-21T08:00:00Z'))
  await stage.until('2026-11-21T09:00:00Z')
  expect(stage.runs()).toEqual(['run data starts', 'run data ends: protected'])
})

test('a clock that is set back for a year does not keep a job from starting, nor one that is set back for an hour make it start twice', async () => {
  const stage = stageOf([aJob('data', nightly)])
  await stage.until('2026-11-21T02:30:00Z')
  stage.clock.set(Date.parse('2026-11-21T01:30:00Z'))
  await stage.until('2026-11-21T03:00:00Z')
  expect(stage.runs()).toHaveLength(2)
  stage.clock.set(Date.parse('2025-11-21T03:00:00Z'))
  await stage.until('2025-11-22T03:00:00Z')
  expect(stage.runs()).toHaveLength(4)
})

test('a paused job starts by hand only, also after a restart, and makes up for nothing when it is resumed', async () => {
  const stage = stageOf([aJob('data', nightly)])
  stage.agent().pause('data')
  await stage.until('2026-11-22T12:00:00Z')
  await stage.kill()
  stage.start()
  await stage.until('2026-11-23T12:00:00Z')
  expect(stage.runs()).toEqual([])
  expect(stage.agent().jobs()).toMatchObject([{ name: 'data', state: 'paused' }])
  expect(stage.agent().start('data')).toBe('started')
  await stage.until('2026-11-23T13:00:00Z')
  stage.agent().resume('data')
  await stage.until('2026-11-24T01:00:00Z')
  expect(stage.runs()).toEqual(['run data starts', 'run data ends: protected'])
  expect(stage.agent().jobs()).toMatchObject([{ state: 'waiting', nextStart: '2026-11-24T02:00:00.000Z' }])
})

test('jobs wait for each other, and one that waits can be taken out of the queue', async () => {
  const stage = stageOf([aJob('data'), aJob('mail')])
  await stage.until('2026-11-20T12:01:00Z')
  expect(stage.agent().start('data')).toBe('started')
  expect(stage.agent().start('data')).toBe('running')
  expect(stage.agent().start('mail')).toBe('queued')
  stage.agent().cancel('mail')
  expect(stage.agent().jobs()).toMatchObject([{ state: 'running' }, { state: 'by hand' }])
  expect(stage.agent().start('mail')).toBe('queued')
  await stage.until('2026-11-20T13:00:00Z')
  expect(stage.runs()).toEqual([
    'run data starts',
    'run data ends: protected',
    'run mail starts',
    'run mail ends: protected',
  ])
})

test('a run can be cancelled', async () => {
  const stage = stageOf([aJob('data')])
  await stage.until('2026-11-20T12:01:00Z')
  stage.agent().start('data')
  await stage.until('2026-11-20T12:02:00Z')
  stage.agent().cancel('data')
  await stage.until('2026-11-20T12:03:00Z')
  expect(stage.runs()).toEqual(['run data starts', 'run data ends: cancelled'])
  expect(stage.agent().status().running).toEqual([])
})

test('a start that comes while the run before goes on is not made, and told once', async () => {
  const stage = stageOf([aJob('data', { schedule: '0 * * * *', timeZone: 'UTC' })])
  stage.going('data', { minutes: 90 })
  await stage.until('2026-11-20T14:40:00Z')
  expect(stage.told()).toEqual([
    'normal: data: the run of 2026-11-20 14:00 was not started',
    'normal: data: 1 of 1 VMs protected',
  ])
})

test('the same bad end is told once a day, and that it is over once', async () => {
  const stage = stageOf([aJob('data', { schedule: '0 * * * *', timeZone: 'UTC' })])
  stage.going('data', { minutes: 5, failing: { web: 'its disk is illegal' } })
  await stage.until('2026-11-22T00:30:00Z')
  expect(stage.told()).toEqual(Array(2).fill('warning: data: 0 of 1 VMs protected'))
  stage.going('data', { minutes: 5 })
  await stage.until('2026-11-22T02:30:00Z')
  expect(stage.told().slice(2)).toEqual([
    'warning: data: 1 of 1 VMs protected',
    'normal: data: 1 of 1 VMs protected',
  ])
})

test('a VM whose point was overwritten by a run that died has broken its RPO at once', async () => {
  const stage = stageOf([aJob('data', { ...nightly, rpoMs: 100 * hour, catchUp: false })])
  await stage.until('2026-11-21T02:30:00Z')
  expect(stage.agent().vms()).toMatchObject([{ name: 'web', state: 'protected', rpo: 'ok' }])
  await stage.until('2026-11-22T02:05:00Z')
  await stage.kill()
  stage.start()
  await stage.until('2026-11-22T02:06:00Z')
  expect(stage.agent().vms()).toMatchObject([{ name: 'web', state: 'failed', rpo: 'breach' }])
  expect(stage.told()).toContain('alert: data: web has no recovery point within its RPO of 4 d 4 h')
})

test('with a full disk the agent goes on, says so, and tells what it could not when there is room again', async () => {
  const stage = stageOf([aJob('data', { schedule: '0 * * * *', timeZone: 'UTC' })])
  await stage.until('2026-11-20T12:30:00Z')
  stage.disk('ENOSPC: no space left on device')
  await stage.until('2026-11-20T13:30:00Z')
  expect(stage.runs()).toEqual(['run data starts', 'run data ends: protected'])
  expect(stage.agent().status().troubles).toMatchObject([
    { matter: 'state', what: expect.stringContaining('no space left') },
    { matter: 'alerts' },
  ])
  stage.disk()
  await stage.until('2026-11-20T14:30:00Z')
  expect(stage.agent().status().troubles).toEqual([])
  expect(stage.runs()).toHaveLength(4)
})

test('with a history that a killed run has torn the agent starts, settles that run, and takes up how things stand', async () => {
  const stage = stageOf([aJob('data', { ...nightly, rpoMs: 100 * hour, catchUp: false })])
  await stage.until('2026-11-21T02:30:00Z')
  await stage.kill()
  stage.tornHistory()
  stage.start()
  expect(stage.agent().status()).toMatchObject({ troubles: [{ matter: 'history' }] })
  await stage.until('2026-11-21T02:31:00Z')
  expect(stage.lines).toContainEqual(expect.stringContaining('what data owes is settled'))
  expect(stage.agent().status()).toMatchObject({ troubles: [], lastRuns: [{ job: 'data' }] })
  expect(stage.agent().vms()).toMatchObject([{ name: 'web', state: 'protected', rpo: 'ok' }])
})

test('a run that is asked for while what is owed is settled follows it', async () => {
  const stage = stageOf([aJob('data')])
  await stage.until('2026-11-20T12:01:00Z')
  stage.agent().start('data')
  await stage.until('2026-11-20T12:02:00Z')
  await stage.kill()
  stage.start()
  expect(stage.agent().jobs()).toMatchObject([{ state: 'settling' }])
  expect(stage.agent().start('data')).toBe('queued')
  await stage.until('2026-11-20T12:30:00Z')
  expect(stage.runs().at(-1)).toBe('run data ends: protected')
})

test('what it tells of itself is as its schema says, in every state', async () => {
  const stage = stageOf([aJob('data', { rpoMs: 2 * hour }), aJob('mail', nightly)])
  for (const at of ['12:00', '12:05', '12:30', '13:50', '13:59'])
    await stage.until(`2026-11-20T${at}:00Z`).then(() => {
      const status = stage.agent().status()
      expect(StatusView.parse(JSON.parse(JSON.stringify(status)))).toEqual(status)
    })
  stage.engine('away')
  await stage.until('2026-11-20T18:00:00Z')
  const status = stage.agent().status()
  expect(StatusView.parse(JSON.parse(JSON.stringify(status)))).toEqual(status)
  expect(status).toMatchObject({
    vms: { breach: 1 },
    behind: [{ name: 'web' }],
    troubles: [{ matter: 'engine' }],
  })
})

test('a job that there is not is told with those that there are', () => {
  const stage = stageOf([aJob('data'), aJob('mail')])
  expect(() => stage.agent().start('date')).toThrow(Unknown)
  expect(() => stage.agent().pause('date')).toThrow('there is no job date')
})
