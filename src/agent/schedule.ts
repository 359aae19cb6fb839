import type { JobConfig } from '../config/keys.ts'
import type { Outcome } from '../run/report.ts'
import { cronSchedule } from './cron-schedule.ts'
import { rpoSchedule } from './rpo-schedule.ts'

/** When a job's next run is to start. Pure: all that it needs is given, time included. */
export interface Schedule {
  /** For people: `30 2 * * * (Europe/Vienna)`, `by RPO of 4 h`. */
  readonly words: string
  /** True when the clock alone decides, so that a start can be missed. */
  readonly byClock: boolean
  /**
   * The first start that is due after `after` (epoch ms, exclusive): when the last run started, or was not made, or the job was
   * resumed; not the present. May lie in the past: then it is due now. Never at a moment, and never due at one, at which
   * no run may start. Undefined when there is none.
   */
  next(after: number, facts: ScheduleFacts): Due | undefined
}

export interface Due {
  /** Epoch ms. */
  at: number
  /** For people, e.g. `by schedule`; without the time. */
  why: string
}

export interface ScheduleFacts {
  now: number
  /** Instant (epoch ms) of the oldest among the VMs' newest proved points, if all have one. */
  provedAsOf?: number | undefined
  /** Whether there is a VM to be protected that no run has come to yet: then an RPO is not waited for. */
  waiting?: boolean | undefined
  /** The shortest RPO that counts for the job's VMs; otherwise that of the job. */
  rpoMs?: number | undefined
  /** How long runs of this job took from start to proof, newest last; successful ones. */
  durationsMs: readonly number[]
  /** When the last run began and ended, and whether it protected anything. */
  lastRun?: { startedAt: number; finishedAt: number; outcome: Outcome } | undefined
  /** Runs in a row that protected nobody; what an operator ended need not count. */
  failures: number
}

/** How the job's runs start; undefined when they start by hand only. */
export function scheduleOf(job: JobConfig): Schedule | undefined {
  if (!job.enabled) return undefined
  if (job.schedule !== undefined) return cronSchedule(job, job.schedule)
  return job.rpoMs === undefined ? undefined : rpoSchedule(job, job.rpoMs)
}

/** A count that goes no further. */
const most = 1000

/** How many starts by the clock lay after `from` and up to `to`; at most 1000 are counted. */
export function missedStarts(
  schedule: Schedule,
  from: number,
  to: number,
  facts: Pick<ScheduleFacts, 'durationsMs'> = { durationsMs: [] },
): number {
  if (!schedule.byClock) return 0
  let [count, at] = [0, from]
  while (count < most) {
    const due = schedule.next(at, { ...facts, now: at, failures: 0, lastRun: undefined })
    if (due === undefined || due.at > to) break
    count += 1
    at = due.at
  }
  return count
}
