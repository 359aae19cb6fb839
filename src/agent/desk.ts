import { Refused, Unknown } from '../model/errors.ts'
import { openUntil } from '../model/window.ts'
import type { AtWork, Ground } from './at-work.ts'
import { decide } from './due.ts'
import type { JobRecord } from './job-record.ts'

/** A clock that was set back so far would keep a job from starting for as long. */
const farMs = 24 * 3_600_000

/** Decides which jobs start, one after the other where they must not overlap. */
export class Desk {
  readonly #records: readonly JobRecord[]
  readonly #ground: Ground
  readonly #work: AtWork
  readonly #queue: JobRecord[] = []

  constructor(records: readonly JobRecord[], ground: Ground, work: AtWork) {
    this.#records = records
    this.#ground = ground
    this.#work = work
  }

  /** Puts what is due into the queue, and starts what may start. */
  turn(now: number): void {
    // First: guests may stand on overlays, or still.
    this.settle(now)
    for (const record of this.#records) {
      // One job's schedule must not keep the others from starting.
      this.#ground.troubles.guard(`schedule of ${record.job.name}`, () => this.#look(record, now))
    }
    this.#startQueued()
  }

  /** What earlier runs have left, and nothing else. */
  settle(now: number): void {
    this.#work.settle(this.#records, now, (record) => {
      if (record.wanted) this.#enqueue(record)
    })
  }

  /** When the next start comes, in epoch milliseconds; infinity when none is known. */
  nextAt(now: number): number {
    const dues = this.#records.map((record) =>
      record.state === 'waiting'
        ? record.next(now, this.#ground.watch.tightest(record.job.name))?.at
        : record.nextByClock(now)?.at,
    )
    return Math.min(...dues.map((at) => at ?? Number.POSITIVE_INFINITY))
  }

  start(name: string): 'started' | 'queued' | 'running' {
    const record = this.#recordOf(name)
    if (record.state === 'running') return 'running'
    if (this.#ground.signal.aborted)
      throw new Refused('the agent is about to end', { hint: 'start it again' })
    record.byHand = true
    record.wanted = record.state === 'settling'
    if (record.wanted) return 'queued'
    this.#enqueue(record)
    this.#startQueued()
    return record.state === 'queued' ? 'queued' : 'started'
  }

  cancel(name: string, reason: Error): void {
    const record = this.#recordOf(name)
    record.abort?.abort(reason)
    if (record.wanted) record.byHand = false
    record.wanted = false
    const at = this.#queue.indexOf(record)
    if (at < 0) return
    this.#queue.splice(at, 1)
    record.state = 'waiting'
    record.byHand = false
  }

  pause(name: string, paused: boolean): void {
    const record = this.#recordOf(name)
    if (paused && record.state === 'queued' && !record.byHand) this.cancel(name, new Error('paused'))
    const after = Math.max(record.memory.after, this.#ground.ports.clock.now())
    this.#memorize(record, { paused, after })
  }

  /** What runs failed for is over: who had to wait longer and longer tries again soon. */
  forgive(): void {
    for (const record of this.#records) {
      const { failures } = record.memory
      if (failures > 1) this.#memorize(record, { failures: 1 })
    }
  }

  #look(record: JobRecord, now: number): void {
    if (record.memory.after - now > farMs) this.#memorize(record, { after: now })
    if (record.wanted) this.#enqueue(record)
    const decision = decide(record, now, this.#ground.watch.tightest(record.job.name))
    if (decision === undefined) return
    const { alert, after, start } = decision
    if (alert !== undefined) this.#ground.troubles.tell(alert)
    this.#memorize(record, { after })
    if (!start) return
    if (record.state === 'settling') record.wanted = true
    else this.#enqueue(record)
  }

  #enqueue(record: JobRecord): void {
    if (record.state !== 'waiting') return
    record.wanted = false
    record.state = 'queued'
    this.#queue.push(record)
    this.#ground.announce({ kind: 'changed' })
  }

  /** The job whose RPO breaks first goes first. */
  #startQueued(): void {
    const breaks = ({ job }: JobRecord): number => {
      const { provedAsOf = 0, rpoMs } = this.#ground.watch.tightest(job.name)
      return rpoMs === undefined ? Number.POSITIVE_INFINITY : provedAsOf + rpoMs
    }
    const now = this.#ground.ports.clock.now()
    const urgent = this.#queue
      .map((record) => ({ record, at: breaks(record) }))
      .toSorted((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0))
    for (const { record } of urgent) {
      if (this.#ground.signal.aborted || this.#work.isFull) return
      const busy = this.#records.flatMap(({ isBusy, primaries }) => (isBusy ? primaries : []))
      if (record.primaries.some((primary) => busy.includes(primary)) || isKept(record, now)) continue
      this.#queue.splice(this.#queue.indexOf(record), 1)
      this.#work.run(record)
    }
  }

  #recordOf(name: string): JobRecord {
    const record = this.#records.find(({ job }) => job.name === name)
    if (record !== undefined) return record
    const known = this.#records.map(({ job }) => job.name).join(', ')
    throw new Unknown(`there is no job ${name}`, {
      hint: known === '' ? 'write a [job NAME] into backup.cfg' : `jobs here: ${known}`,
    })
  }

  #memorize(record: JobRecord, change: Partial<JobRecord['memory']>): void {
    record.memory = { ...record.memory, ...change }
    this.#ground.memories.keep([record])
  }
}

/** It has waited until no run may start any more. */
function isKept({ job, byHand }: JobRecord, now: number): boolean {
  return !byHand && openUntil(job.blackout ?? [], now, job.timeZone) !== undefined
}
