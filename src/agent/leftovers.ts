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

  /** Jobs that nothing is done for and whose pairs owe something; not those for which it was tried a short while ago. */
  owing(records: readonly JobRecord[], now: number): JobRecord[] {
    const { history } = this.#ports
    const idle = records.filter(({ job, state }) => {
      const last = this.#triedAt.get(job.name) ?? Number.NEGATIVE_INFINITY
      return state === 'waiting' && Math.abs(now - last) >= againMs
    })
    try {
      if (history.owed() === 0) return []
      return idle.filter(({ job }) => job.pairs.some((pair) => history.owed(pair) > 0))
    } catch (error) {
      // A run may have died while it wrote: only who holds its lock may roll that back, and settling does.
      this.#troubles.met('history', error, 0)
      return idle
    }
  }

  /** Never throws; what stays open is a trouble. */
  async settle({ job }: JobRecord, now: number, signal: AbortSignal, emit: EmitOfPair): Promise<void> {
    this.#triedAt.set(job.name, now)
    const matter = `left by runs of ${job.name}`
    try {
      const recoveries = await this.#ports.runner.recover(job, signal, emit)
      const open = recoveries.flatMap(({ found, error }) => [
        ...found.flatMap(({ state, what, why }) => (state === 'left open' ? [`${what}: ${why ?? ''}`] : [])),
        ...(error === undefined ? [] : [error.message]),
      ])
      if (open.length === 0) this.#troubles.cleared(matter)
      else this.#troubles.met(matter, new Error(open.join('\n')), againMs)
    } catch (error) {
      this.#troubles.met(matter, error, againMs)
    }
  }
}
