import { expect, test } from 'vitest'
import type { JobView } from '../../src/agent/view.ts'
import { createMetrics } from '../../src/metrics/metrics.ts'
import { aJob, anAgent, aSummary, minute, noon } from './an-agent.ts'
import { seriesOf } from './exposition.ts'

/** The minute from noon at which a start is due, after the job was seen like this at these minutes. */
async function dueAfter(...looks: [at: number, job: Partial<JobView>][]): Promise<number | undefined> {
  const agent = anAgent()
  const metrics = createMetrics(agent.view)
  let due: Record<string, number> = {}
  for (const [at, job] of looks) {
    agent.world.status = { now: minute(at) }
    agent.world.jobs = [aJob('nightly', job)]
    due = await seriesOf(metrics, 'vmbackup_job_due_timestamp_seconds')
  }
  const value = due['job_name=nightly']
  return value === undefined ? undefined : (value - noon) / 60
}

const began = (at: number) => ({ lastRun: aSummary('protected', { startedAt: minute(at) }) })

test('a start is due when it was promised, also when the next start moves on without a run', async () => {
  expect(await dueAfter([0, { nextStart: minute(10) }], [20, { nextStart: minute(70) }])).toBe(10)
})

test('a start that is not due yet may be moved', async () => {
  expect(await dueAfter([0, { nextStart: minute(10) }], [5, { nextStart: minute(40) }])).toBe(40)
})

test('a run that began since keeps the promise', async () => {
  expect(await dueAfter([0, { nextStart: minute(10) }], [20, { nextStart: minute(70), ...began(10) }])).toBe(
    70,
  )
})

test('a run from before the promise does not keep it', async () => {
  expect(await dueAfter([0, { nextStart: minute(10) }], [20, { nextStart: minute(70), ...began(5) }])).toBe(
    10,
  )
})

test('a run that goes on keeps the promise; one that only waits in the queue does not', async () => {
  const promised: [number, Partial<JobView>] = [0, { nextStart: minute(10) }]
  expect(await dueAfter(promised, [20, { nextStart: minute(70), state: 'running' }])).toBe(70)
  expect(await dueAfter(promised, [20, { nextStart: minute(70), state: 'queued' }])).toBe(10)
})

test('a job that is paused or gone owes no start', async () => {
  const promised: [number, Partial<JobView>] = [0, { nextStart: minute(10) }]
  expect(await dueAfter(promised, [20, { state: 'paused' }])).toBeUndefined()
  expect(await dueAfter(promised, [20, { name: 'other' }], [21, { nextStart: minute(90) }])).toBe(90)
})
