import type { Hypervisor } from '../../src/model/hypervisor.ts'

/** `has no answer`: the engine does it, but the connection breaks first. */
export type Misfortune = 'snapshot fails' | 'snapshot is doubtful' | 'snapshot has no answer' | 'merge fails'

/**
 * One implementation under test, on an engine that nobody else uses. Its active Gluster domain `vmstore` holds the disks
 * of `web` (two), `db` and `idle` (one each; `idle` is down), one of the two of `mixed`, and none of `elsewhere`.
 */
export interface Subject extends AsyncDisposable {
  hypervisor: Hypervisor
  /** The same engine as another process sees it. */
  again(): Promise<Hypervisor>
  /** Until released, no act under way comes further. */
  hold(): void
  release(): void
  /** What goes wrong with the next act on this VM. */
  fail(vm: string, how: Misfortune): void
  removeVm(name: string): void
  /** Adds a tag to the engine, where a name is given below that one. */
  addTag(name: string, below?: string): void
  announced(): { number: number; severity: string; text: string }[]
  /** How many steps of a job of ours are still open. */
  openSteps(jobId: string): number
}

/** Makes a subject; `more` running VMs with one disk each on the domain come on top. */
export type MakeSubject = (more?: number) => Promise<Subject>
