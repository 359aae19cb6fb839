import type { JobView } from '../agent/view.ts'

/**
 * Remembers the start that the agent has promised for each job until a run keeps it: a next start that moves on without a run
 * would hide that nothing happened. Epoch milliseconds.
 */
export class DueStarts {
  readonly #due = new Map<string, number>()

  /** Takes in how the jobs stand; returns what is due, or will be, by job. */
  look(jobs: readonly JobView[], now: number): ReadonlyMap<string, number> {
    const names = new Set(jobs.map(({ name }) => name))
    for (const name of this.#due.keys()) if (!names.has(name)) this.#due.delete(name)
    for (const job of jobs) {
      const due = isKept(job, this.#due.get(job.name), now) ? next(job) : this.#due.get(job.name)
      if (due === undefined) this.#due.delete(job.name)
      else this.#due.set(job.name, due)
    }
    return this.#due
  }
}

/** A promise may be moved as long as it is not due; afterwards only a run keeps it, or a person who takes the job out. */
function isKept(job: JobView, due: number | undefined, now: number): boolean {
  if (due === undefined || due > now) return true
  if (job.state !== 'waiting' && job.state !== 'queued') return true
  return job.lastRun !== undefined && Date.parse(job.lastRun.startedAt) >= due
}

function next({ nextStart }: JobView): number | undefined {
  return nextStart === undefined ? undefined : Date.parse(nextStart)
}
