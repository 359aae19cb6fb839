import type { JobConfig } from '../config/keys.ts'
import { nameOfPair } from '../model/pair.ts'
import type { RunEvent } from '../run/event.ts'
import type { Report } from '../run/report.ts'
import { foldRun, isGood, togetherIn } from './fold-runs.ts'
import type { JobMemory } from './job-memory.ts'
import { beginProgress, foldProgress } from './progress.ts'
import type { Expectation } from './rpo.ts'
import { expectedMs } from './rpo-schedule.ts'
import { type Due, type Schedule, type ScheduleFacts, scheduleOf } from './schedule.ts'
import type { RunProgress, RunSummary } from './view.ts'

const mostDurations = 10

/** A job as it stands: what it remembers, whether it runs, and how long its runs take. */
export class JobRecord {
  readonly job: JobConfig
  readonly schedule: Schedule | undefined
  memory: JobMemory
  /** Somebody wants its run now, whatever the schedule and its blackouts say. */
  byHand = false
  /** To be queued as soon as it can be: what it was asked for while it settled, or what was interrupted. */
  wanted = false
  state: 'waiting' | 'queued' | 'running' | 'settling' = 'waiting'
  /** Ends the run that is going on. */
  abort: AbortController | undefined
  progress = new Map<string, RunProgress>()
  last: RunSummary | undefined
  lastSuccess: string | undefined
  #durations: number[] = []
  #coming: { after: number; due: Due; askedAt: number } | undefined

  constructor(job: JobConfig, memory: JobMemory) {
    this.job = job
    this.schedule = scheduleOf(job)
    this.memory = memory
  }

  /** Takes up how its runs went before the agent was started, newest first. */
  recall(history: readonly RunSummary[]): void {
    const ends = togetherIn(history).flatMap((runs) => {
      const end = foldRun(runs)
      return end === undefined ? [] : [{ end, good: isGood(runs) }]
    })
    this.last = ends[0]?.end
    this.lastSuccess = ends.find(({ end }) => end.outcome === 'protected')?.end.finishedAt
    this.#durations = ends
      .filter(({ good }) => good)
      .map(({ end }) => durationOf(end))
      .slice(0, mostDurations)
      .toReversed()
  }

  get pairs(): string[] {
    return this.job.pairs.map(nameOfPair)
  }

  get primaries(): string[] {
    return this.job.pairs.map(({ primary }) => primary)
  }

  /** Something is done on its volumes. */
  get isBusy(): boolean {
    return this.state === 'running' || this.state === 'settling'
  }

  /** How long a run takes, cautiously; undefined before the first one. */
  get expectedMs(): number | undefined {
    return expectedMs(this.#durations)
  }

  /** When and why the next run starts by itself. */
  next(now: number, standing: Pick<ScheduleFacts, 'provedAsOf' | 'rpoMs'>): Due | undefined {
    const { last, memory } = this
    if (this.schedule?.byClock && memory.failures === 0) return this.nextByClock(now)
    const lastRun = last && {
      startedAt: Date.parse(last.startedAt),
      finishedAt: Date.parse(last.finishedAt),
      outcome: last.outcome as Report['outcome'],
    }
    const { failures } = memory
    return this.#ask({ now, ...standing, durationsMs: this.#durations, failures, lastRun })
  }

  /** The next start by the clock alone, whatever became of the last run. */
  nextByClock(now: number): Due | undefined {
    if (!this.schedule?.byClock) return undefined
    // What is still to come stays so: the calendar is asked once for each start.
    const { after } = this.memory
    const coming = this.#coming
    // Unless the clock was set back since.
    if (coming?.after !== after || coming.due.at <= now || now < coming.askedAt) {
      const due = this.#ask({ now, durationsMs: [], failures: 0 })
      this.#coming = due && { after, due, askedAt: now }
    }
    return this.memory.paused ? undefined : this.#coming?.due
  }

  #ask(facts: ScheduleFacts): Due | undefined {
    return this.memory.paused ? undefined : this.schedule?.next(this.memory.after, facts)
  }

  /** What is expected of the run that is going on, or of the next one. */
  expectation(now: number, nextAt?: number): Expectation {
    const { runningSince } = this.memory
    const startAt = runningSince ?? nextAt
    if (startAt === undefined) return {}
    const takesMs = this.expectedMs
    if (takesMs === undefined) return { startAt }
    const endAt = startAt + takesMs
    // One that takes longer than ever before may take any time.
    return { startAt, endAt: runningSince !== undefined && endAt < now ? Number.POSITIVE_INFINITY : endAt }
  }

  /** What earlier runs owe is settled. */
  settle(abort: AbortController): void {
    this.state = 'settling'
    this.abort = abort
  }

  begin(now: number, abort: AbortController): void {
    this.state = 'running'
    this.byHand = false
    this.abort = abort
    this.memory = { ...this.memory, runningSince: now }
    this.progress = new Map(
      this.job.pairs.map((pair) => [nameOfPair(pair), beginProgress(this.job.name, pair, now)]),
    )
  }

  see(pair: string, event: RunEvent, now: number): void {
    const progress = this.progress.get(pair)
    if (progress !== undefined) this.progress.set(pair, foldProgress(progress, event, now))
  }

  /** Nothing goes on any more. */
  rest(): void {
    this.state = 'waiting'
    this.abort = undefined
    this.progress = new Map()
    const { runningSince: _, ...memory } = this.memory
    this.memory = memory
  }

  /** Takes how it ended over all pairs; `good` when each has a point. One that an operator has ended counts for nothing. */
  end(last: RunSummary, good: boolean, byOperator: boolean): void {
    this.rest()
    this.last = last
    if (last.outcome === 'protected') this.lastSuccess = last.finishedAt
    if (good) this.#durations = [...this.#durations, durationOf(last)].slice(-mostDurations)
    const { failures } = this.memory
    if (good || !byOperator) this.memory = { ...this.memory, failures: good ? 0 : failures + 1 }
  }
}

function durationOf({ startedAt, finishedAt }: RunSummary): number {
  return Math.max(0, Date.parse(finishedAt) - Date.parse(startedAt))
}
