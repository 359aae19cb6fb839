import { Cron } from 'croner'
import type { JobConfig } from '../config/keys.ts'
import { nextTry, noted } from './again.ts'
import { type Blackout, beganAt, delayed, firstFree } from './blackout.ts'
import { jitterAt } from './jitter.ts'
import type { Due, Schedule } from './schedule.ts'

/** Starts that are looked at to find one: with more of them within one jitter, which one it is does not matter. */
const most = 1000
const afterIt = ', after the blackout'

/** Starts by a cron expression, by the wall clock of the job's time zone. */
export function cronSchedule(job: JobConfig, expression: string): Schedule {
  const timeZone = job.timeZone ?? Intl.DateTimeFormat().resolvedOptions().timeZone
  const blackout = { windows: job.blackout ?? [], timeZone }
  const cron = cronOf(expression, timeZone)
  return {
    words: `${expression} (${timeZone})`,
    byClock: true,
    next(after, facts) {
      const since = noted(after, facts.now) ?? facts.now
      const again = nextTry(job.retryMs, facts)
      const dues = [
        nextStart(since, { job, blackout, cron }),
        again && again.at > since ? freed(again, blackout) : undefined,
      ]
      return earliest(dues.map((due) => due && notBefore(due, facts.now, blackout)))
    },
  }
}

/**
 * With hours that it names, whether as a list or as a step, a start is one time of the day: what falls into the hour that is
 * left out when clocks are set forward comes right after it, and what falls into the hour that comes twice comes once. With `*`
 * for the hour starts follow each other in real time, whatever the clocks do.
 */
function cronOf(expression: string, timeZone: string): Cron {
  const fields = expression.split(' ')
  const hour = fields.length - 4
  const spelt = fields.map((field, index) => (index === hour ? withoutSteps(field) : field))
  return new Cron(spelt.join(' '), { paused: true, timezone: timeZone, fixedTimeRule: 'no-wildcard' })
}

// croner takes an expression with a step in its hours for an interval, which would lose a start or make one twice.
function withoutSteps(hours: string): string {
  const all = hours.split(',').flatMap((part) => {
    const [, from, to, step] = /^(?:\*|(\d+)-(\d+))(?:\/(\d+))?$/.exec(part) ?? []
    if (step === undefined && from === undefined) return [part]
    const [first, last, by] = [Number(from ?? 0), Number(to ?? 23), Number(step ?? 1)]
    return Array.from({ length: Math.floor((last - first) / by) + 1 }, (_, index) =>
      String(first + index * by),
    )
  })
  return all.includes('*') || new Set(all).size === 24 ? '*' : all.join(',')
}

function nextStart(
  since: number,
  { job, blackout, cron }: { job: JobConfig; blackout: Blackout; cron: Cron },
): Due | undefined {
  // A start that was planned before may have been moved to after it, by jitter or to the end of a blackout.
  const earlier = since - job.jitterMs - 1
  let planned = (beganAt(blackout, earlier) ?? earlier) - 1
  let found: Due | undefined
  for (let looked = 0; planned <= since; looked += 1) {
    if (looked === most) planned = since
    const next = cron.nextRun(new Date(planned))
    if (next === null) break
    planned = next.getTime()
    const due = placed(planned, job, blackout)
    if (due !== undefined && due.at > since) found = earliest([found, due])
  }
  return found
}

function placed(planned: number, job: JobConfig, blackout: Blackout): Due | undefined {
  const due = freed({ at: planned, why: 'by schedule' }, blackout)
  return due && { ...due, at: delayed(blackout, due.at, jitterAt(job, due.at)) }
}

function freed(due: Due, blackout: Blackout): Due | undefined {
  const free = firstFree(blackout, due.at)
  if (free === undefined) return undefined
  if (free === due.at) return due
  return { at: free, why: due.why.endsWith(afterIt) ? due.why : due.why + afterIt }
}

/** What should have started before and has not, starts when it may. */
function notBefore(due: Due, now: number, blackout: Blackout): Due | undefined {
  if (due.at >= now) return due
  const moved = freed({ ...due, at: now }, blackout)
  return moved?.at === now ? due : moved
}

function earliest(dues: readonly (Due | undefined)[]): Due | undefined {
  return dues.reduce(
    (one, other) => (one === undefined || (other && other.at < one.at) ? other : one),
    undefined,
  )
}
