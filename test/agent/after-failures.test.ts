import { expect, onTestFinished, test } from 'vitest'
import type { JobConfig } from '../../src/config/keys.ts'
import { agentStage, aJob } from './agent-stage.ts'

const hour = 3_600_000

function stageOf(jobs: JobConfig[], vmsOf: Record<string, string[]> = { data: ['web'] }) {
  const stage = agentStage(jobs, '2026-11-20T12:00:00Z', vmsOf)
  onTestFinished(() => stage.end())
  const starts = () =>
    stage.lines.filter((line) => / run \w+ starts/.test(line)).map((line) => line.slice(4, 9))
  const told = () =>
    stage.lines.filter((line) => / {4}(normal|warning|alert): /.test(line)).map((line) => line.slice(13))
  return { ...stage, starts, told }
}

test('runs that cannot even begin are tried less and less often, never without rest', async () => {
  const stage = stageOf([aJob('data', { rpoMs: hour })])
  stage.going('data', { minutes: 0, throws: 'ca_file cannot be read' })
  await stage.until('2026-11-20T16:00:00Z')
  // Vienna is an hour ahead; the pauses are 15, 30, 60 and 120 minutes.
  expect(stage.starts()).toEqual(['13:00', '13:15', '13:45', '14:45', '16:45'])
  expect(stage.agent().status().troubles).toMatchObject([{ matter: 'job data' }])
})

test('runs that protect nobody although they end are tried less and less often, too', async () => {
  const stage = stageOf([aJob('data', { rpoMs: hour })])
  stage.going('data', { minutes: 5, failing: { web: 'its copy differs' } })
  await stage.until('2026-11-20T16:00:00Z')
  expect(stage.starts().length).toBeLessThan(7)
})

test('a killed run is made up for, however late after its time it had begun', async () => {
  const stage = stageOf([aJob('data', { schedule: '0 2 * * *', timeZone: 'UTC' })])
  await stage.until('2026-11-20T14:00:00Z')
  stage.clock.set(Date.parse('2026-11-21T02:00:01.005Z'))
  await stage.until('2026-11-21T02:08:00Z')
  await stage.kill()
  stage.start()
  await stage.until('2026-11-21T02:30:00Z')
  expect(stage.starts()).toHaveLength(2)
  expect(stage.told().at(-1)).toBe('alert: data: 1 of 1 VMs protected')
})

test('a run that an operator has cancelled is not tried again by itself', async () => {
  const stage = stageOf([aJob('data', { schedule: '0 2 * * *', timeZone: 'UTC' })])
  await stage.until('2026-11-20T12:01:00Z')
  stage.agent().start('data')
  await stage.until('2026-11-20T12:02:00Z')
  stage.agent().cancel('data')
  await stage.until('2026-11-20T18:00:00Z')
  expect(stage.starts()).toEqual(['13:01'])
})

test('a point that somebody else has overwritten is noticed', async () => {
  const stage = stageOf([aJob('data', { schedule: '0 2 * * *', timeZone: 'UTC', rpoMs: 100 * hour })])
  stage.agent().start('data')
  await stage.until('2026-11-20T13:00:00Z')
  expect(stage.agent().vms()).toMatchObject([{ state: 'protected', rpo: 'ok' }])
  stage.overwrite('data', '20261120T130000Z-00000000')
  await stage.until('2026-11-20T13:30:00Z')
  expect(stage.agent().vms()).toMatchObject([{ rpo: 'ok' }])
  await stage.until('2026-11-20T15:30:00Z')
  expect(stage.agent().vms()).toMatchObject([{ state: 'failed', rpo: 'breach' }])
})

test('two jobs of one volume do not take what the other one owes in its run for left over', async () => {
  const pairs = aJob('data').pairs
  const stage = stageOf([aJob('data', { pairs }), aJob('other', { pairs })])
  await stage.until('2026-11-20T12:01:00Z')
  stage.going('data', { minutes: 60 })
  stage.agent().start('data')
  stage.owe('data')
  await stage.until('2026-11-20T12:50:00Z')
  expect(stage.lines.filter((line) => line.includes('owes is settled'))).toEqual([])
  expect(stage.agent().status()).toMatchObject({ owed: 0, troubles: [] })
})

test('that alerts cannot be written down shows also where the first one is of an interrupted run', async () => {
  const stage = stageOf([aJob('data', { schedule: '0 2 * * *', timeZone: 'UTC' })])
  await stage.until('2026-11-21T02:05:00Z')
  await stage.kill()
  stage.disk('ENOSPC: no space left on device')
  stage.start()
  expect(stage.agent().status().troubles).toMatchObject([{ matter: 'alerts' }, { matter: 'state' }])
  stage.disk()
  await stage.until('2026-11-21T02:30:00Z')
  expect(stage.agent().status().troubles).toEqual([])
})

test('volumes that tell nothing keep nobody from watching the others, and what is known of their VMs stands', async () => {
  const vmsOf: Record<string, string[]> = { data: ['web'], other: ['db'] }
  const stage = stageOf([aJob('data', { rpoMs: 100 * hour }), aJob('other', { rpoMs: 100 * hour })], vmsOf)
  await stage.until('2026-11-20T12:30:00Z')
  stage.volumes('data', 'away')
  vmsOf['other'] = ['db', 'mail']
  await stage.until('2026-11-20T13:00:00Z')
  expect(stage.agent().vms()).toMatchObject([
    { name: 'db' },
    { name: 'mail' },
    { name: 'web', state: 'protected' },
  ])
  expect(stage.agent().status().troubles).toMatchObject([{ matter: 'volume data' }])
  expect(stage.told().at(-1)).toBe('warning: volume data: glusterd does not answer')
  stage.volumes('data', 'back')
  await stage.until('2026-11-20T13:30:00Z')
  expect(stage.agent().status().troubles).toEqual([])
  expect(stage.told().at(-1)).toBe('warning: volume data: works again after 30 min')
})

test('who was told of trouble before a restart is told once that it is over, and not of it again', async () => {
  const stage = stageOf([aJob('data', { rpoMs: 100 * hour })])
  await stage.until('2026-11-20T12:20:00Z')
  stage.engine('no route to host')
  await stage.until('2026-11-20T13:00:00Z')
  await stage.kill()
  stage.start()
  await stage.until('2026-11-20T14:00:00Z')
  stage.engine()
  await stage.until('2026-11-20T15:00:00Z')
  const ofEngine = stage.told().filter((line) => line.includes('engine'))
  expect(ofEngine).toEqual([
    'warning: engine: no route to host',
    expect.stringMatching(/^warning: engine: works again after 1 h/),
  ])
})

test('who was told that a VM is behind is told when it is deleted', async () => {
  const vmsOf = { data: ['web', 'db'] }
  const stage = stageOf([aJob('data', { rpoMs: hour })], vmsOf)
  stage.going('data', { minutes: 5, failing: { web: 'its copy differs' } })
  await stage.until('2026-11-20T14:00:00Z')
  expect(stage.told()).toContain('alert: data: web has no recovery point within its RPO of 1 h')
  vmsOf.data = ['db']
  await stage.until('2026-11-20T14:30:00Z')
  const about = stage.told().filter((line) => line.includes('no RPO any more'))
  expect(about).toEqual(['alert: data: web has no RPO any more'])
})
