import { expect, test } from 'vitest'
import { createMetrics } from '../../src/metrics/metrics.ts'
import { aJob, anAgent, anRpo, minute, noon } from './an-agent.ts'
import { seriesOf } from './exposition.ts'

const many = (count: number) =>
  Array.from({ length: count }, (_, at) => anRpo(`vm${at}`, { provedAsOf: minute(-1), rpoMs: 60_000 }))

test('each VM of a job has its proved point and its RPO', async () => {
  const vms = [anRpo('web', { provedAsOf: minute(-10), rpoMs: 3_600_000 })]
  const metrics = createMetrics(anAgent({ jobs: [aJob('nightly')], vms }).view)
  const web = 'job_name=nightly,vm=web,vm_id=id-of-web'
  expect(await seriesOf(metrics, 'vmbackup_vm_proved_point_timestamp_seconds')).toEqual({ [web]: noon - 600 })
  expect(await seriesOf(metrics, 'vmbackup_vm_rpo_seconds')).toEqual({ [web]: 3600 })
})

test('a thousand VMs have series of their own, of more only the worst hundred', async () => {
  const agent = anAgent({ jobs: [aJob('nightly')], vms: many(1000) })
  const metrics = createMetrics(agent.view)
  const shown = async () => Object.keys(await seriesOf(metrics, 'vmbackup_vm_rpo_seconds'))
  const hidden = () => seriesOf(metrics, 'vmbackup_vms_without_series')
  expect(await shown()).toHaveLength(1000)
  expect(await hidden()).toEqual({ '': 0 })
  agent.world.vms = many(1001)
  expect(await shown()).toHaveLength(100)
  expect(await hidden()).toEqual({ '': 901 })
})

test('the worst come first: never proved, longest in breach, nearest to it', async () => {
  const vms = [
    ...many(10),
    anRpo('soon', { rpo: 'warning', breachAt: minute(5), rpoMs: 1 }),
    anRpo('later', { rpo: 'warning', breachAt: minute(50), rpoMs: 1 }),
    anRpo('long', { rpo: 'breach', breachAt: minute(-50), rpoMs: 1 }),
    anRpo('never', { rpo: 'breach', rpoMs: 1 }),
    anRpo('short', { rpo: 'breach', breachAt: minute(-5), rpoMs: 1 }),
  ]
  const { view } = anAgent({ jobs: [aJob('nightly')], vms })
  const metrics = createMetrics(view, { vmLimits: { all: 5, worst: 4 } })
  const shown = Object.keys(await seriesOf(metrics, 'vmbackup_vm_rpo_seconds'))
  expect(shown.map((one) => /vm=(\w+)/.exec(one)?.[1])).toEqual(['never', 'long', 'short', 'soon'])
})

test('a name with quotes, backslashes and line ends stays one value', async () => {
  const vms = [anRpo('a"b\\c\nd', { rpoMs: 1000 })]
  const metrics = createMetrics(anAgent({ jobs: [aJob('nightly')], vms }).view)
  const { text } = await metrics.text()
  expect(text).toContain('vm="a\\"b\\\\c\\nd",vm_id=')
})
