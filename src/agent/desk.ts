import type { Alert } from '../model/alert.ts'
import { messageOf, Refused, Unknown } from '../model/errors.ts'
import { openUntil } from '../model/window.ts'
import type { Report } from '../run/report.ts'
import type { AgentEvent } from './agent.ts'
import { decide } from './due.ts'
import { foldRun, isGood, notBegun } from './fold-runs.ts'
import { summaryOf } from './history.ts'
import type { JobRecord } from './job-record.ts'
import { Leftovers } from './leftovers.ts'
import type { AgentPorts, EmitOfPair } from './ports.ts'
import { tellRunEnd } from './tellings.ts'
import type { Troubles } from './troubles.ts'
import type { Watch } from './watch.ts'

/** The same bad end is told again after that. */
const remindMs = 24 * 3_600_000
/** A clock that was set back so far would keep a job from starting for as long. */
const farMs = 24 * 3_600_000

/** Decides which jobs start, one after the other where they must not overlap, and tells how they ended. */
export class Desk {
  readonly #records: readonly JobRecord[]
  readonly #ports: AgentPorts
  readonly #watch: Watch
  readonly #troubles: Troubles
  readonly #runsAtOnce: number
  readonly #announce: (event: AgentEvent) => void
  readonly #queue: JobRecord[] = []
  readonly #underWay = new Set<Promise<void>>()
  readonly #leftovers: Leftovers
  #stopping: AbortSignal

  constructor(
    records: readonly JobRecord[],
    stands: { ports: AgentPorts; watch: Watch; troubles: Troubles },
    runsAtOnce: number,
    announce: (event: AgentEvent) => void,
    signal: AbortSignal,
  ) {
    this.#records = records
    this.#ports = stands.ports
    this.#watch = stands.watch
    this.#troubles = stands.troubles
    this.#leftovers = new Leftovers(stands.ports, stands.troubles)
    this.#runsAtOnce = runsAtOnce
    this.#announce = announce
    this.#stopping = signal
  }

  /** Puts what is due into the queue, and starts what may start. */
  turn(now: number): void {
    // First: guests may stand on overlays, or still.
    this.#settleOwed(now)
    for (const record of this.#records) {
      // One job's schedule must not keep the others from starting.
      this.#troubles.guard(`schedule of ${record.job.name}`, () => this.#look(record, now))
    }
    this.#startQueued()
  }

  /** What earlier runs have left, and nothing else. */
  settle(now: number): void {
    this.#settleOwed(now)
  }

  /** When the next start comes, in epoch milliseconds; infinity when none is known. */
  nextAt(now: number): number {
    const dues = this.#records.map((record) =>
      record.state === 'waiting'
        ? record.next(now, this.#watch.tightest(record.job.name))?.at
        : record.nextByClock(now)?.at,
    )
    return Math.min(...dues.map((at) => at ?? Number.POSITIVE_INFINITY))
  }

  start(name: string): 'started' | 'queued' | 'running' {
    const record = this.recordOf(name)
    if (record.state === 'running') return 'running'
    if (this.#stopping.aborted) throw new Refused('the agent is about to end', { hint: 'start it again' })
    record.byHand = true
    record.wanted = record.state === 'settling'
    if (record.wanted) return 'queued'
    this.#enqueue(record)
    this.#startQueued()
    return record.state === 'queued' ? 'queued' : 'started'
  }

  cancel(name: string, reason: Error): void {
    const record = this.recordOf(name)
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
    const record = this.recordOf(name)
    if (paused && record.state === 'queued' && !record.byHand) this.cancel(name, new Error('paused'))
    const after = Math.max(record.memory.after, this.#ports.clock.now())
    this.#memorize(record, { paused, after })
  }

  /** What runs failed for is over: who had to wait longer and longer tries again soon. */
  forgive(): void {
    for (const record of this.#records) {
      const { failures } = record.memory
      if (failures > 1) this.#memorize(record, { failures: 1 })
    }
  }

  recordOf(name: string): JobRecord {
    const record = this.#records.find(({ job }) => job.name === name)
    if (record !== undefined) return record
    const known = this.#records.map(({ job }) => job.name).join(', ')
    throw new Unknown(`there is no job ${name}`, {
      hint: known === '' ? 'write a [job NAME] into backup.cfg' : `jobs here: ${known}`,
    })
  }

  /** Resolves when nothing goes on any more. */
  async idle(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.allSettled(this.#underWay)
  }

  #look(record: JobRecord, now: number): void {
    if (record.memory.after - now > farMs) this.#memorize(record, { after: now })
    if (record.wanted) this.#enqueue(record)
    const decision = decide(record, now, this.#watch.tightest(record.job.name))
    if (decision === undefined) return
    const { alert, after, start } = decision
    if (alert !== undefined) this.#tell(alert)
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
    this.#announce({ kind: 'changed' })
  }

  #isFull(): boolean {
    return this.#underWay.size >= this.#runsAtOnce
  }

  /** The job whose RPO breaks first goes first. */
  #startQueued(): void {
    const breaks = ({ job }: JobRecord): number => {
      const { provedAsOf = 0, rpoMs } = this.#watch.tightest(job.name)
      return rpoMs === undefined ? Number.POSITIVE_INFINITY : provedAsOf + rpoMs
    }
    const now = this.#ports.clock.now()
    const urgent = this.#queue
      .map((record) => ({ record, at: breaks(record) }))
      .toSorted((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0))
    for (const { record } of urgent) {
      if (this.#stopping.aborted || this.#isFull()) return
      const busy = this.#records.flatMap(({ isBusy, primaries }) => (isBusy ? primaries : []))
      if (record.primaries.some((primary) => busy.includes(primary)) || isKept(record, now)) continue
      this.#queue.splice(this.#queue.indexOf(record), 1)
      const abort = new AbortController()
      record.begin(this.#ports.clock.now(), abort)
      this.#memorize(record, {})
      this.#beside((signal) => this.#run(record, abort, signal), abort)
    }
  }

  /** Does it beside the loop, until it ends by itself or is told to. */
  #beside(act: (signal: AbortSignal) => Promise<void>, abort: AbortController): void {
    const going = act(AbortSignal.any([abort.signal, this.#stopping]))
    this.#underWay.add(going)
    void going
      .catch((error: unknown) => this.#troubles.met('agent', error, 0))
      .finally(() => {
        this.#underWay.delete(going)
        this.#announce({ kind: 'changed' })
      })
    this.#announce({ kind: 'changed' })
  }

  async #run(record: JobRecord, abort: AbortController, signal: AbortSignal): Promise<void> {
    const { job } = record
    const { clock, runner } = this.#ports
    const startedAt = clock.now()
    let reports: Report[] = []
    let why: string | undefined
    try {
      reports = await runner.run(job, signal, this.#emitOf(record))
      this.#troubles.cleared(`job ${job.name}`)
    } catch (error) {
      why = messageOf(error)
      this.#troubles.met(`job ${job.name}`, error, 0)
    }
    const runs = reports.map(summaryOf)
    const last = foldRun(runs) ?? notBegun(job, startedAt, clock.now(), why)
    record.end(last, isGood(runs), abort.signal.aborted)
    if (reports.length > 0) this.#tellEnd(record, tellRunEnd(job.name, reports, clock.now()))
    this.#memorize(record, {})
    this.#watch.forget(job.pairs)
  }

  #emitOf(record: JobRecord): EmitOfPair {
    const job = record.job.name
    return (pair, event) => {
      record.see(pair, event, this.#ports.clock.now())
      this.#announce({ kind: 'run', job, pair, event })
    }
  }

  #tellEnd(record: JobRecord, { outcome, severity, digest, alert }: ReturnType<typeof tellRunEnd>): void {
    const { told, ...memory } = record.memory
    const now = this.#ports.clock.now()
    if (outcome === 'protected') {
      // Who was told of the bad end is told of the good one.
      this.#tell({ ...alert, severity: told?.severity ?? severity })
      record.memory = memory
    } else if (told?.digest !== digest || now - told.at >= remindMs) {
      this.#tell({ ...alert, severity })
      const gravest = told?.severity === 'alert' ? 'alert' : severity
      record.memory = { ...memory, told: { digest, at: now, severity: gravest } }
    }
  }

  #tell(alert: Alert): void {
    this.#troubles.guard('alerts', () => this.#ports.tell(alert))
  }

  #settleOwed(now: number): void {
    if (this.#stopping.aborted) return
    for (const record of this.#leftovers.owing(this.#records, now)) {
      if (this.#isFull()) return
      const abort = new AbortController()
      record.settle(abort)
      this.#beside(async (signal) => {
        await this.#leftovers.settle(record, now, signal, this.#emitOf(record))
        record.rest()
        this.#memorize(record, {})
        if (record.wanted) this.#enqueue(record)
      }, abort)
    }
  }

  #memorize(record: JobRecord, change: Partial<JobRecord['memory']>): void {
    record.memory = { ...record.memory, ...change }
    this.#troubles.guard('state', () =>
      this.#ports.book.set(new Map([[`job ${record.job.name}`, record.memory]])),
    )
  }
}

/** It has waited until no run may start any more. */
function isKept({ job, byHand }: JobRecord, now: number): boolean {
  return !byHand && openUntil(job.blackout ?? [], now, job.timeZone) !== undefined
}
