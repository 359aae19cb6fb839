import { expect, onTestFinished, test } from 'vitest'
import type { JobConfig } from '../../src/config/keys.ts'
import { DueStarts } from '../../src/metrics/due-starts.ts'
import { createMetrics } from '../../src/metrics/metrics.ts'
import { agentStage, aJob, minuteMs } from '../agent/agent-stage.ts'
import { seriesOf } from './exposition.ts'

const every4Hours = { schedule: '0 */4 * * *', timeZone: 'UTC', rpoMs: 6 * 60 * minuteMs }

/** A real agent in a world of fakes, its promises looked at every five minutes as by scrapes. */
function aDay(jobs: JobConfig[]) {
  const stage = agentStage(jobs, '2026-11-20T12:01:00Z', { data: ['web'], mail: ['mx'] })
  onTestFinished(() => stage.end())
  const metrics = createMetrics(stage.agent(), { clock: stage.clock })
  const dueStarts = new DueStarts()
  /** The minutes by which each job is overdue now, under its name and state. */
  const late = (): [string, number][] => {
    const [now, views] = [stage.clock.now(), stage.agent().jobs()]
    const due = dueStarts.look(views, now)
    return views.map(({ name, state }) => [`${name} ${state}`, (now - (due.get(name) ?? now)) / minuteMs])
  }
  return {
    ...stage,
    of: (name: string) => seriesOf(metrics, `vmbackup_${name}`),
    /** The most minutes by which a start was overdue. */
    async overdue(until: string): Promise<Record<string, number>> {
      const most: Record<string, number> = {}
      while (stage.clock.now() < Date.parse(until)) {
        await stage.until(new Date(stage.clock.now() + 5 * minuteMs).toISOString())
        for (const [key, minutes] of late()) if (minutes > (most[key] ?? 0)) most[key] = minutes
      }
      return most
    },
  }
}

test('no start is overdue as long as the agent does what it promised', async () => {
  const jobs = [aJob('data', every4Hours), aJob('mail', { rpoMs: 3 * 60 * minuteMs, jitterMs: minuteMs })]
  const day = aDay(jobs)
  day.going('data', { minutes: 3 })
  expect(await day.overdue('2026-11-21T12:00:00Z')).toEqual({})
  expect(day.lines.filter((line) => line.includes('run data starts')).length).toBeGreaterThan(4)
})

test('failed runs that are tried again leave no start overdue', async () => {
  const day = aDay([aJob('data', every4Hours)])
  day.going('data', { minutes: 3, refused: 'no space' })
  expect(await day.overdue('2026-11-21T00:00:00Z')).toEqual({})
  expect(await day.of('job_last_run_outcome')).toMatchObject({ 'job_name=data,outcome=refused': 1 })
})

test('a job that waits for another one is overdue in the queue only', async () => {
  const day = aDay([aJob('data', every4Hours), aJob('mail', every4Hours)])
  day.going('data', { minutes: 40 })
  day.going('mail', { minutes: 40 })
  const late = await day.overdue('2026-11-21T00:00:00Z')
  expect(Object.keys(late)).toEqual(['mail queued'])
  expect(late['mail queued']).toBeGreaterThan(30)
})

test('a paused job owes no start, and its proved point grows old', async () => {
  const day = aDay([aJob('data', every4Hours)])
  await day.overdue('2026-11-20T17:00:00Z')
  day.agent().pause('data')
  expect(await day.overdue('2026-11-21T12:00:00Z')).toEqual({})
  expect(await day.of('job_state')).toMatchObject({ 'job_name=data,state=paused': 1 })
  expect(await day.of('job_rpo_vms')).toMatchObject({ 'job_name=data,rpo=breach': 1 })
  const proved = Date.parse('2026-11-20T16:00:00Z') / 1000
  const points = await day.of('job_oldest_proved_point_timestamp_seconds')
  expect(Math.abs((points['job_name=data'] ?? 0) - proved)).toBeLessThan(120)
})
