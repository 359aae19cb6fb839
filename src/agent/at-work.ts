import { messageOf } from '../model/errors.ts'
import type { Report } from '../run/report.ts'
import type { AgentEvent } from './agent.ts'
import { foldRun, isGood, notBegun } from './fold-runs.ts'
import { summaryOf } from './history.ts'
import type { JobMemories } from './job-memory.ts'
import type { JobRecord } from './job-record.ts'
import { Leftovers } from './leftovers.ts'
import type { AgentPorts, EmitOfPair } from './ports.ts'
import { tellRunEnd } from './tellings.ts'
import type { Troubles } from './troubles.ts'
import type { Watch } from './watch.ts'

/** The same bad end is told again after that. */
const remindMs = 24 * 3_600_000

/** What runs of jobs stand on. */
export interface Ground {
  ports: AgentPorts
  watch: Watch
  troubles: Troubles
  memories: JobMemories
  announce: (event: AgentEvent) => void
  /** Ends all that goes on; from then on nothing begins. */
  signal: AbortSignal
}

/** What goes on beside the agent's loop: runs, of which it tells how they ended, and settling what earlier ones have left. */
export class AtWork {
  readonly #ground: Ground
  readonly #atOnce: number
  readonly #leftovers: Leftovers
  readonly #underWay = new Set<Promise<void>>()

  constructor(ground: Ground, atOnce: number) {
    this.#ground = ground
    this.#atOnce = atOnce
    this.#leftovers = new Leftovers(ground.ports, ground.troubles)
  }

  /** As much goes on as may. */
  get isFull(): boolean {
    return this.#underWay.size >= this.#atOnce
  }

  /** Resolves when nothing goes on any more. */
  async idle(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.allSettled(this.#underWay)
  }

  /** Begins a run of the job. */
  run(record: JobRecord): void {
    this.#beside((signal, abort) => {
      record.begin(this.#ground.ports.clock.now(), abort)
      this.#ground.memories.keep([record])
      return this.#run(record, signal, abort)
    })
  }

  /** Begins to settle what earlier runs of these jobs have left; `settled` is called for each job that is through. */
  settle(records: readonly JobRecord[], now: number, settled: (record: JobRecord) => void): void {
    if (this.#ground.signal.aborted) return
    for (const record of this.#leftovers.owing(records, now)) {
      if (this.isFull) return
      this.#beside(async (signal, abort) => {
        record.settle(abort)
        await this.#leftovers.settle(record, now, signal, this.#emitOf(record))
        record.rest()
        this.#ground.memories.keep([record])
        settled(record)
      })
    }
  }

  /** Does it until it ends by itself or is told to, by the controller that it gets. */
  #beside(act: (signal: AbortSignal, abort: AbortController) => Promise<void>): void {
    const { announce, signal, troubles } = this.#ground
    const abort = new AbortController()
    const going = act(AbortSignal.any([abort.signal, signal]), abort)
    this.#underWay.add(going)
    void going
      .catch((error: unknown) => troubles.met('agent', error, 0))
      .finally(() => {
        this.#underWay.delete(going)
        announce({ kind: 'changed' })
      })
    announce({ kind: 'changed' })
  }

  async #run(record: JobRecord, signal: AbortSignal, abort: AbortController): Promise<void> {
    const { job } = record
    const { memories, ports, troubles, watch } = this.#ground
    const { clock, runner } = ports
    const startedAt = clock.now()
    let reports: Report[] = []
    let why: string | undefined
    try {
      reports = await runner.run(job, signal, this.#emitOf(record))
      troubles.cleared(`job ${job.name}`)
    } catch (error) {
      why = messageOf(error)
      troubles.met(`job ${job.name}`, error, 0)
    }
    const runs = reports.map(summaryOf)
    const last = foldRun(runs) ?? notBegun(job, startedAt, clock.now(), why)
    record.end(last, isGood(runs), abort.signal.aborted)
    if (reports.length > 0) this.#tellEnd(record, tellRunEnd(job.name, reports, clock.now()))
    memories.keep([record])
    watch.forget(job.pairs)
  }

  #emitOf(record: JobRecord): EmitOfPair {
    const job = record.job.name
    const { announce, ports } = this.#ground
    return (pair, event) => {
      record.see(pair, event, ports.clock.now())
      announce({ kind: 'run', job, pair, event })
    }
  }

  #tellEnd(record: JobRecord, { outcome, severity, digest, alert }: ReturnType<typeof tellRunEnd>): void {
    const { told, ...memory } = record.memory
    const { ports, troubles } = this.#ground
    const now = ports.clock.now()
    if (outcome === 'protected') {
      // Who was told of the bad end is told of the good one.
      troubles.tell({ ...alert, severity: told?.severity ?? severity })
      record.memory = memory
    } else if (told?.digest !== digest || now - told.at >= remindMs) {
      troubles.tell({ ...alert, severity })
      const gravest = told?.severity === 'alert' ? 'alert' : severity
      record.memory = { ...memory, told: { digest, at: now, severity: gravest } }
    }
  }
}
