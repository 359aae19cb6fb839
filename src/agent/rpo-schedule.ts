import type { JobConfig } from '../config/keys.ts'
import { nextTry, noted } from './again.ts'
import { advanced, type Blackout, beganAt, delayed, firstFree } from './blackout.ts'
import { jitterAt } from './jitter.ts'
import { lengthWords } from './length-words.ts'
import type { Due, Schedule, ScheduleFacts } from './schedule.ts'

const minuteMs = 60_000
/** Of so many runs, without the slowest tenth. */
const remembered = 10

/** How long a run takes, judged cautiously by the last ones; undefined when there was none. */
export function expectedMs(durationsMs: readonly number[]): number | undefined {
  const last = durationsMs.slice(-remembered).toSorted((one, other) => one - other)
  return last[Math.ceil(last.length * 0.9) - 1]
}

/** Starts so late that the next point is proved before the newest one is older than the RPO, less the margin. */
export function rpoSchedule(job: JobConfig, ownRpoMs: number): Schedule {
  const blackout = {
    windows: job.blackout ?? [],
    timeZone: job.timeZone ?? Intl.DateTimeFormat().resolvedOptions().timeZone,
  }
  return {
    words: `by RPO of ${lengthWords(ownRpoMs)}`,
    byClock: false,
    next(after, facts) {
      const terms = termsOf(job, facts, facts.rpoMs ?? ownRpoMs)
      const floor = floorOf(after, job, facts)
      const start = notBefore(floor, wanted(job, facts, terms), terms)
      const at = start.at < facts.now && isClosed(blackout, facts.now) ? facts.now : start.at
      const free = firstFree(blackout, at)
      if (free === undefined) return undefined
      if (free > at)
        return outside({ ...start, at }, free, floor.at, { job, blackout, terms, now: facts.now })
      const early = advanced(blackout, at, job.jitterMs - jitterAt(job, at))
      return { ...start, at: Math.max(early, Math.min(at, floor.at)) }
    },
  }
}

/** What the RPO asks of the next run. */
interface Terms {
  rpo: number
  margin: number
  expected: number
  /** The instant that the RPO counts from; none = there is nothing to lose, and nothing to wait for. */
  base: number | undefined
}

function termsOf(job: JobConfig, facts: ScheduleFacts, rpo: number): Terms {
  const margin = (rpo * job.marginPercent) / 100
  const known = [noted(facts.provedAsOf, facts.now), lastGood(facts)].filter((at) => at !== undefined)
  return {
    rpo,
    margin,
    expected: expectedMs(facts.durationsMs) ?? (rpo - margin) / 2,
    base: known.length === 0 ? undefined : Math.max(...known),
  }
}

// A VM that fails again and again must not make runs follow each other without rest: the others set the pace.
function lastGood({ lastRun, now }: ScheduleFacts): number | undefined {
  const some = lastRun?.outcome === 'protected' || lastRun?.outcome === 'partly protected'
  return some ? noted(lastRun.startedAt, now) : undefined
}

function wanted(job: JobConfig, facts: ScheduleFacts, terms: Terms): Due {
  const { rpo, margin, expected, base } = terms
  if (base === undefined) return { at: -Infinity, why: 'at once: there is no proved point' }
  if (facts.waiting) return { at: -Infinity, why: 'at once: there is a VM that no run has come to yet' }
  const regular = { at: base + rpo - margin - expected, why: `by RPO of ${lengthWords(rpo)}` }
  const again = forTheRest(job, facts, terms)
  return again !== undefined && again < regular.at
    ? { at: again, why: 'again for what the last run did not protect' }
    : regular
}

/** When to try again for the VMs that a run failed to protect, as long as that can still keep their RPO. */
function forTheRest(
  { retryMs }: JobConfig,
  { lastRun, provedAsOf, now }: ScheduleFacts,
  { rpo, margin, expected }: Terms,
): number | undefined {
  const proved = noted(provedAsOf, now)
  if (lastRun?.outcome !== 'partly protected' || proved === undefined || retryMs === 0) return undefined
  if (proved >= lastRun.startedAt) return undefined
  const at = lastRun.finishedAt + Math.max(retryMs, margin / 2)
  return at + expected <= proved + rpo ? at : undefined
}

/** Before it nothing starts: never while a run goes on, never again within a minute, later after failures. */
function floorOf(after: number, job: JobConfig, facts: ScheduleFacts): Due {
  const { lastRun, now } = facts
  const since = noted(after, now) ?? now
  const started = noted(lastRun?.startedAt, now) ?? -Infinity
  const finished = noted(lastRun?.finishedAt, now) ?? -Infinity
  const at = Math.max(since + 1, started + minuteMs, finished)
  const again = nextTry(Math.max(job.retryMs, minuteMs), facts)
  return again !== undefined && again.at > at ? again : { at, why: '' }
}

function notBefore(floor: Due, start: Due, { rpo, expected, base }: Terms): Due {
  if (start.at >= floor.at) return start
  if (floor.why !== '') return floor
  if (base === undefined || floor.at + expected <= base + rpo) return { ...start, at: floor.at }
  const why =
    2 * expected > rpo
      ? `the RPO of ${lengthWords(rpo)} cannot be held: runs take up to ${lengthWords(expected)} and follow each other`
      : `late for the RPO of ${lengthWords(rpo)}`
  return { at: floor.at, why }
}

/** A start that falls into a blackout: after it where the RPO allows, else before it where that is still possible. */
function outside(
  start: Due,
  free: number,
  floor: number,
  { job, blackout, terms, now }: { job: JobConfig; blackout: Blackout; terms: Terms; now: number },
): Due {
  const { rpo, margin, expected, base } = terms
  const slack = base === undefined ? Infinity : base + rpo - margin / 2 - expected - free
  if (slack >= 0) {
    const at = delayed(blackout, free, Math.min(slack, jitterAt(job, free)))
    return { at, why: `${start.why}, after the blackout` }
  }
  const began = beganAt(blackout, start.at) ?? now
  const before = Math.max(began - minuteMs, floor)
  if (now < began && before < began && !isClosed(blackout, before)) {
    return { at: before, why: `before a blackout in which the RPO of ${lengthWords(rpo)} would break` }
  }
  return { at: free, why: `${start.why}, after the blackout in which the RPO breaks` }
}

function isClosed(blackout: Blackout, at: number): boolean {
  return firstFree(blackout, at) !== at
}
