import type { Alert } from '../model/alert.ts'
import type { JobRecord } from './job-record.ts'
import { missedStarts, type ScheduleFacts } from './schedule.ts'
import { tellNotStarted } from './tellings.ts'

/** A start that is so late was missed: the agent was down, or the machine slept. */
const lateMs = 90_000

/** What is to be done about a start that has come. */
export interface Decision {
  start: boolean
  /** Starts up to then (epoch milliseconds) are done with. */
  after: number
  alert?: Alert
}

/** Decides about the job's next start; undefined while none has come. Pure. */
export function decide(
  record: JobRecord,
  now: number,
  standing: Pick<ScheduleFacts, 'provedAsOf' | 'rpoMs'>,
): Decision | undefined {
  const regular = record.nextByClock(now)
  if (record.state === 'settling')
    return regular !== undefined && regular.at <= now ? { start: true, after: regular.at } : undefined
  if (record.state !== 'waiting') {
    if (regular === undefined || regular.at > now) return undefined
    return { start: false, after: regular.at, alert: tellSkipped(record, regular.at, now) }
  }
  if (regular !== undefined && now - regular.at > lateMs) {
    return { start: record.job.catchUp, after: now, alert: tellMissed(record, regular.at, now) }
  }
  const next = record.next(now, standing)
  if (next === undefined || next.at > now) return undefined
  return { start: true, after: Math.max(record.memory.after, next.at) }
}

function tellMissed({ job, schedule, memory }: JobRecord, first: number, now: number): Alert {
  const count = schedule === undefined ? 1 : missedStarts(schedule, memory.after, now)
  const what = job.catchUp
    ? 'The agent was down or its machine asleep. One run is made now for all that were missed.'
    : `The agent was down or its machine asleep. They are not made up for (catch_up = no); to start one: vmbackup run ${job.name}`
  return tellNotStarted(job.name, 'run missed', { first, count }, what, now, job.timeZone)
}

function tellSkipped({ job, state, memory }: JobRecord, at: number, now: number): Alert {
  const minutes = Math.round((now - (memory.runningSince ?? now)) / 60_000)
  const what =
    state === 'running'
      ? `The run before is still going on, since ${minutes} min.`
      : 'The run before still waits for another job to end.'
  return tellNotStarted(job.name, 'run skipped', { first: at, count: 1 }, what, now, job.timeZone)
}
