import { z } from 'zod'
import type { JobConfig } from '../config/keys.ts'
import type { Book } from './book.ts'
import type { Troubles } from './troubles.ts'

/** What of a job outlives a restart. */
export const JobMemory = z.object({
  paused: z.boolean(),
  /** Epoch milliseconds: starts up to then are done with. */
  after: z.number(),
  /** Runs in a row that protected nobody. */
  failures: z.number(),
  /** When the run that is going on has begun. */
  runningSince: z.number().optional(),
  /** Of the end that was told last, and when; absent after a good one. */
  told: z
    .object({ digest: z.string(), at: z.number(), severity: z.enum(['normal', 'warning', 'alert']) })
    .optional(),
})
export type JobMemory = z.infer<typeof JobMemory>

/** What all jobs remember, in the agent's book. */
export class JobMemories {
  readonly #book: Book
  readonly #troubles: Troubles

  constructor(book: Book, troubles: Troubles) {
    this.#book = book
    this.#troubles = troubles
  }

  /** Of a job that is new, only starts after `now` count. */
  of({ name }: JobConfig, now: number): JobMemory {
    return this.#book.get(nameOf(name), JobMemory) ?? { paused: false, after: now, failures: 0 }
  }

  /** Writes down what these remember; that it cannot be written is a trouble. */
  keep(records: readonly { job: JobConfig; memory: JobMemory }[]): void {
    const changes = new Map(records.map(({ job, memory }) => [nameOf(job.name), memory]))
    this.#troubles.guard('state', () => this.#book.set(changes))
  }
}

function nameOf(job: string): string {
  return `job ${job}`
}
