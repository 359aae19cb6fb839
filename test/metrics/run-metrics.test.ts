import { expect, test } from 'vitest'
import { createMetrics } from '../../src/metrics/metrics.ts'
import type { RunEvent } from '../../src/run/event.ts'
import { goodRun } from '../backup/clean-end.ts'
import { createStage } from '../support/stage.ts'
import { aJob, anAgent, anRpo, aReport } from './an-agent.ts'
import { seriesOf } from './exposition.ts'

const web = { id: 'id-of-web', name: 'web' }
const vmEvent = (
  did: string,
  asked?: { act: 'snapshot' | 'merge'; times: number; ms: number },
): RunEvent => ({
  kind: 'vm',
  vm: web,
  did,
  done: 1,
  of: 1,
  ...(asked === undefined ? {} : { asked }),
})
const taken = vmEvent('snapshot taken', { act: 'snapshot', times: 2, ms: 4000 })
const merged = vmEvent('merged', { act: 'merge', times: 1, ms: 30_000 })

function aStand() {
  const agent = anAgent({ jobs: [aJob('nightly')], vms: [anRpo('web')] })
  let now = 0
  const metrics = createMetrics(agent.view, { clock: { now: () => now } })
  return {
    ...agent,
    metrics,
    of: (name: string) => seriesOf(metrics, `vmbackup_${name}`),
    waits(ms: number) {
      now += ms
    },
  }
}

test('what is counted of a job begins at 0, so that the first failure is an increase', async () => {
  const { of } = aStand()
  expect(await of('runs_total')).toMatchObject({
    'job_name=nightly,outcome=protected': 0,
    'job_name=nightly,outcome=refused': 0,
  })
  expect(await of('retries_total')).toEqual({
    'job_name=nightly,act=snapshot': 0,
    'job_name=nightly,act=merge': 0,
    'job_name=nightly,act=replication': 0,
  })
  expect(await of('compared_bytes_total')).toEqual({ 'job_name=nightly': 0 })
  expect(await of('vm_merge_seconds_count')).toEqual({ 'job_name=nightly': 0 })
})

test('what happened before the first scrape counts', async () => {
  const { tell, of } = aStand()
  tell({ kind: 'run ended', report: aReport() })
  expect(await of('run_duration_seconds_count')).toEqual({ 'job_name=nightly': 1 })
  expect(await of('run_duration_seconds_count')).toEqual({ 'job_name=nightly': 1 })
})

test('runs are counted by outcome, with what they compared and healed', async () => {
  const { tell, of } = aStand()
  const comparison = { mode: 'quick', bytesRead: 1000, healed: 2 } as const
  tell(
    { kind: 'run ended', report: aReport({ comparison }) },
    { kind: 'run ended', report: aReport({ comparison, outcome: 'failed' }) },
    { kind: 'run ended', report: aReport({ outcome: 'refused' }) },
  )
  expect(await of('runs_total')).toMatchObject({
    'job_name=nightly,outcome=protected': 1,
    'job_name=nightly,outcome=failed': 1,
    'job_name=nightly,outcome=refused': 1,
    'job_name=nightly,outcome=cancelled': 0,
  })
  expect(await of('compared_bytes_total')).toEqual({ 'job_name=nightly': 2000 })
  expect(await of('healed_files_total')).toEqual({ 'job_name=nightly': 4 })
})

test('the duration of a run counts when the run made a point', async () => {
  const { tell, of } = aStand()
  tell(
    { kind: 'run ended', report: aReport() },
    { kind: 'run ended', report: aReport({ outcome: 'refused' }) },
  )
  expect(await of('run_duration_seconds_count')).toEqual({ 'job_name=nightly': 1 })
  expect(await of('run_duration_seconds_sum')).toEqual({ 'job_name=nightly': 600 })
})

test('steps that failed are counted and do not spoil how long steps take', async () => {
  const { tell, of } = aStand()
  tell(
    { kind: 'step ended', step: 'replicate', ms: 7000 },
    { kind: 'step ended', step: 'replicate', ms: 3_600_000, error: 'it took too long' },
  )
  const replicate = 'job_name=nightly,step=replicate'
  expect(await of('step_duration_seconds_sum')).toEqual({ [replicate]: 7 })
  expect(await of('step_duration_seconds_count')).toEqual({ [replicate]: 1 })
  expect(await of('failed_steps_total')).toEqual({ [replicate]: 1 })
})

test('an overlay lives from the request for the snapshot to the end of its merge', async () => {
  const { tell, of, waits } = aStand()
  tell(taken)
  waits(120_000)
  tell(merged)
  expect(await of('vm_snapshot_seconds_sum')).toEqual({ 'job_name=nightly': 4 })
  expect(await of('vm_merge_seconds_sum')).toEqual({ 'job_name=nightly': 30 })
  expect(await of('vm_overlay_seconds_sum')).toEqual({ 'job_name=nightly': 124 })
  expect(await of('vm_last_overlay_seconds')).toEqual({ 'job_name=nightly,vm=web,vm_id=id-of-web': 124 })
  expect(await of('retries_total')).toMatchObject({
    'job_name=nightly,act=snapshot': 1,
    'job_name=nightly,act=merge': 0,
  })
})

test('an overlay whose merge failed lives on into the run that merges it', async () => {
  const { tell, of, waits } = aStand()
  tell(taken)
  waits(60_000)
  tell(vmEvent('not merged: 3 merges failed', { act: 'merge', times: 3, ms: 1000 }))
  expect(await of('vm_overlay_seconds_count')).toEqual({ 'job_name=nightly': 0 })
  waits(3_600_000)
  tell(merged)
  expect(await of('vm_overlay_seconds_sum')).toEqual({ 'job_name=nightly': 3664 })
  expect(await of('retries_total')).toMatchObject({ 'job_name=nightly,act=merge': 2 })
})

test('a merge of a snapshot from before this process has no known overlay life', async () => {
  const { tell, of } = aStand()
  tell(merged)
  expect(await of('vm_overlay_seconds_count')).toEqual({ 'job_name=nightly': 0 })
  expect(await of('vm_merge_seconds_count')).toEqual({ 'job_name=nightly': 1 })
})

test('a real run on memory feeds every one of them', async () => {
  const { tell, of } = aStand()
  await using stage = await createStage()
  stage.replicated.faults.stalledStarts = 1
  await stage.run({}, { onEvent: tell })
  const one = { 'job_name=nightly': 1 }
  const two = { 'job_name=nightly': 2 }
  expect(await of('vm_snapshot_seconds_count')).toEqual(two)
  expect(await of('vm_merge_seconds_count')).toEqual(two)
  expect(await of('vm_overlay_seconds_count')).toEqual(two)
  expect(await of('run_duration_seconds_count')).toEqual(one)
  expect(await of('runs_total')).toMatchObject({ 'job_name=nightly,outcome=protected': 1 })
  expect(await of('retries_total')).toMatchObject({ 'job_name=nightly,act=replication': 1 })
  expect((await of('compared_bytes_total'))['job_name=nightly']).toBeGreaterThan(0)
  const steps = Object.keys(await of('step_duration_seconds_count'))
  for (const step of goodRun) expect(steps).toContain(`job_name=nightly,step=${step}`)
})
