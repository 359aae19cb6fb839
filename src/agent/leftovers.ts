import type { JobRecord } from './job-record.ts'
import type { AgentPorts, EmitOfPair } from './ports.ts'
import type { Troubles } from './troubles.ts'

/** What is still owed is tried again after that. */
const againMs = 15 * 60_000

/** What died with its process, or could not be settled at a run's end: it is settled without waiting for the next run. */
export class Leftovers {
  readonly #ports: Pick<AgentPorts, 'history' | 'runner'>
  readonly #troubles: Troubles
  readonly #triedAt = new Map<string, number>()

  constructor(ports: Pick<AgentPorts, 'history' | 'runner'>, troubles: Troubles) {
    this.#ports = ports
    this.#troubles = troubles
  }

  /** Jobs for whose pairs nothing is done and something is owed; not those for which it was tried a short while ago. */
  owing(records: readonly JobRecord[], now: number): JobRecord[] {
    const taken = new Set(records.flatMap(({ isBusy, primaries }) => (isBusy ? primaries : [])))
    const owing: JobRecord[] = []
    for (const record of records.filter(({ state }) => state === 'waiting')) {
      const { primaries } = record
      const last = this.#triedAt.get(record.job.name) ?? Number.NEGATIVE_INFINITY
      // What a run that goes on owes is its own affair.
      if (primaries.some((primary) => taken.has(primary)) || !this.#owes(record)) continue
      if (Math.abs(now - last) < againMs) continue
      owing.push(record)
      for (const primary of primaries) taken.add(primary)
    }
    return owing
  }

  #owes({ job }: JobRecord): boolean {
    try {
      const owes = job.pairs.some((pair) => this.#ports.history.owed(pair) > 0)
      this.#troubles.cleared('history')
      if (!owes) this.#troubles.cleared(matterOf(job.name))
      return owes
    } catch (error) {
      // A run may have died while it wrote: only who holds its lock may roll that back, and settling does.
      this.#troubles.met('history', error, 0)
      return true
    }
  }

  /** Never throws; what stays open is a trouble. */
  async settle({ job }: JobRecord, now: number, signal: AbortSignal, emit: EmitOfPair): Promise<void> {
    this.#triedAt.set(job.name, now)
    const matter = matterOf(job.name)
    try {
      const recoveries = await this.#ports.runner.recover(job, signal, emit)
      // A run of somebody else goes on: it settles what it finds.
      const open = recoveries.flatMap(({ found, error, outcome }) => [
        ...found.flatMap(({ state, what, why }) => (state === 'left open' ? [`${what}: ${why ?? ''}`] : [])),
        ...(error === undefined || outcome === 'locked' ? [] : [error.message]),
      ])
      if (open.length === 0) this.#troubles.cleared(matter)
      else this.#troubles.met(matter, new Error(open.join('\n')), againMs)
    } catch (error) {
      this.#troubles.met(matter, error, againMs)
    }
  }
}

function matterOf(job: string): string {
  return `left by runs of ${job}`
}
