import { expect, test } from 'vitest'
import { createMetrics } from '../../src/metrics/metrics.ts'
import { aJob, anAgent, anRpo, aProgress, aSummary, minute, noon } from './an-agent.ts'
import { readSeries, seriesOf } from './exposition.ts'

test('a scrape shows how each job stands', async () => {
  const nightly = aJob('nightly', {
    state: 'paused',
    rpoMs: 14_400_000,
    expectedMs: 600_000,
    nextStart: minute(30),
    lastRun: aSummary('partly protected'),
    lastSuccess: minute(-300),
    provedAsOf: minute(-310),
    vms: { protected: 3, failed: 1, leftOut: 2 },
  })
  const metrics = createMetrics(anAgent({ jobs: [nightly] }).view)
  const of = (name: string) => seriesOf(metrics, `vmbackup_job_${name}`)
  const job = 'job_name=nightly'
  expect(await of('rpo_seconds')).toEqual({ [job]: 14_400 })
  expect(await of('expected_seconds')).toEqual({ [job]: 600 })
  expect(await of('next_start_timestamp_seconds')).toEqual({ [job]: noon + 1800 })
  expect(await of('last_run_timestamp_seconds')).toEqual({ [job]: noon - 3000 })
  expect(await of('last_success_timestamp_seconds')).toEqual({ [job]: noon - 18_000 })
  expect(await of('oldest_proved_point_timestamp_seconds')).toEqual({ [job]: noon - 18_600 })
  expect(await of('vms')).toEqual({
    [`${job},state=protected`]: 3,
    [`${job},state=failed`]: 1,
    [`${job},state=left out`]: 2,
  })
  expect(await of('state')).toMatchObject({ [`${job},state=paused`]: 1, [`${job},state=running`]: 0 })
  expect(await of('last_run_outcome')).toMatchObject({
    [`${job},outcome=partly protected`]: 1,
    [`${job},outcome=protected`]: 0,
  })
})

test('what is not known has no series, so that nothing looks like 1970', async () => {
  const { text } = await createMetrics(anAgent({ jobs: [aJob('new')], vms: [anRpo('web')] }).view).text()
  const names = readSeries(text).map(({ name }) => name)
  expect(names).toContain('vmbackup_job_state')
  expect(names.filter((name) => name.startsWith('vmbackup_') && name.includes('timestamp'))).toEqual([])
  expect(names).not.toContain('vmbackup_vm_rpo_seconds')
})

test('the newest proved point of a job is that of its luckiest VM', async () => {
  const vms = [
    anRpo('web', { provedAsOf: minute(-20) }),
    anRpo('db', { provedAsOf: minute(-10) }),
    anRpo('new'),
    anRpo('other', { job: 'weekly', provedAsOf: minute(-5) }),
  ]
  const metrics = createMetrics(anAgent({ jobs: [aJob('nightly')], vms }).view)
  expect(await seriesOf(metrics, 'vmbackup_job_proved_point_timestamp_seconds')).toEqual({
    'job_name=nightly': noon - 600,
    'job_name=weekly': noon - 300,
  })
})

test('VMs are counted by how they stand against their RPO, and those that nobody protects apart', async () => {
  const vms = [
    anRpo('a'),
    anRpo('b', { rpo: 'breach' }),
    anRpo('c', { rpo: 'breach' }),
    { ...anRpo('d', { rpo: 'none', state: 'not selected' }), job: undefined },
  ].map(({ job, ...vm }) => (job === undefined ? vm : { ...vm, job }))
  const metrics = createMetrics(anAgent({ jobs: [aJob('nightly')], vms }).view)
  expect(await seriesOf(metrics, 'vmbackup_job_rpo_vms')).toEqual({
    'job_name=nightly,rpo=ok': 1,
    'job_name=nightly,rpo=warning': 0,
    'job_name=nightly,rpo=breach': 2,
    'job_name=nightly,rpo=none': 0,
  })
  expect(await seriesOf(metrics, 'vmbackup_unselected_vms')).toEqual({ '': 1 })
})

test('a scrape shows what the agent has to struggle with', async () => {
  const status = {
    troubles: [{ matter: 'engine', since: minute(-20), what: 'it is away' }],
    outbox: { waiting: 3, failing: 2 },
    owed: 4,
    running: [aProgress('nightly', minute(-2)), aProgress('nightly', minute(-3))],
  }
  const metrics = createMetrics(anAgent({ jobs: [aJob('nightly')], status }).view)
  const of = (name: string) => seriesOf(metrics, `vmbackup_${name}`)
  expect(await of('build_info')).toEqual({ 'version=1.2.3': 1 })
  expect(await of('troubles')).toEqual({ '': 1 })
  expect(await of('trouble_since_timestamp_seconds')).toEqual({ 'matter=engine': noon - 1200 })
  expect(await of('outbox_waiting_messages')).toEqual({ '': 3 })
  expect(await of('outbox_failing_messages')).toEqual({ '': 2 })
  expect(await of('owed_obligations')).toEqual({ '': 4 })
  expect(await of('job_running_since_timestamp_seconds')).toEqual({ 'job_name=nightly': noon - 180 })
})

test('what is over is gone at the next scrape', async () => {
  const { view, world } = anAgent({
    jobs: [aJob('nightly'), aJob('gone', { rpoMs: 1000 })],
    vms: [anRpo('web', { provedAsOf: minute(-1) })],
    status: { troubles: [{ matter: 'engine', since: minute(-20), what: 'it is away' }] },
  })
  const metrics = createMetrics(view)
  await metrics.text()
  world.jobs = [aJob('nightly')]
  world.vms = []
  world.status = {}
  expect(await seriesOf(metrics, 'vmbackup_trouble_since_timestamp_seconds')).toEqual({})
  expect(await seriesOf(metrics, 'vmbackup_job_rpo_seconds')).toEqual({})
  expect(await seriesOf(metrics, 'vmbackup_vm_proved_point_timestamp_seconds')).toEqual({})
})

test('the process is measured, under names by the rules', async () => {
  const { contentType, text } = await createMetrics(anAgent().view).text()
  expect(contentType).toBe('text/plain; version=0.0.4; charset=utf-8')
  expect(text).toMatch(/^process_resident_memory_bytes \d+/m)
  expect(text).toMatch(/^nodejs_active_handles\{/m)
  expect(text).not.toMatch(/# TYPE \S+_total gauge/)
})

test('two agents in one process share nothing', async () => {
  const [one, other] = [anAgent({ jobs: [aJob('nightly')] }), anAgent({ jobs: [aJob('weekly')] })]
  const [first, second] = [createMetrics(one.view), createMetrics(other.view)]
  await first.text()
  expect(Object.keys(await seriesOf(second, 'vmbackup_healed_files_total'))).toEqual(['job_name=weekly'])
})

test('an agent that cannot answer fails the scrape, which is what the alert on the agent sees', async () => {
  const { view } = anAgent()
  const metrics = createMetrics({
    ...view,
    status: () => {
      throw new Error('state is gone')
    },
  })
  await expect(metrics.text()).rejects.toThrow('state is gone')
})
