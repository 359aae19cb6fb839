import type { JobConfig } from '../config/keys.ts'
import type { Alert } from '../model/alert.ts'
import type { Pair } from '../model/pair.ts'
import type { Clock } from '../run/clock.ts'
import type { RunEvent } from '../run/event.ts'
import type { PairRecovery } from '../run/recover.ts'
import type { Report } from '../run/report.ts'
import type { Book } from './book.ts'
import type { History } from './history.ts'
import type { VmView } from './view.ts'

/** How runs are made. Neither throws for what happens in a run. */
export interface Runner {
  /** One report for each pair. */
  run(job: JobConfig, signal: AbortSignal, emit: EmitOfPair): Promise<Report[]>
  /** Settles what earlier runs of the job's pairs owe. */
  recover(job: JobConfig, signal: AbortSignal, emit: EmitOfPair): Promise<PairRecovery[]>
}

/** Gets the pair's name, `volume--host--volume`. */
export type EmitOfPair = (pair: string, event: RunEvent) => void

/** A VM with disks on a job's volumes, and how it is to be protected. */
export interface InventoryVm {
  id: string
  name: string
  /** Names of the jobs that run on its volumes. */
  jobs: string[]
  /** Names of the pairs on whose primaries it has disks. */
  pairs: string[]
  policy?: string
  rpoMs?: number
  /** Why no job protects it. */
  whyNot?: string
  /** It has disks that may lie on a volume of which nothing could be learnt: what is told of it is not all. */
  partly?: true
}

/** The VMs on the jobs' volumes, but for volumes of which nothing could be learnt, and why. */
export interface Inventory {
  vms: InventoryVm[]
  blind: { pair: Pair; error: unknown }[]
}

/** What the agent stands on. */
export interface AgentPorts {
  clock: Clock
  runner: Runner
  history: History
  book: Book
  /** Throws what the engine says. */
  inventory(signal: AbortSignal): Promise<Inventory>
  /** Durable when it returns; an alert with an id that was told before is not told again. */
  tell(alert: Alert): void
  /** Messages that are not sent yet. */
  outbox(): { waiting: number; failing: number }
  /** What else keeps the agent from its work, e.g. a mail server that is down. */
  otherTroubles(): { matter: string; since: number; what: string }[]
  /** Tells somebody outside that the agent is alive. */
  ping?(signal: AbortSignal): Promise<void>
  protect(vms: readonly string[], policy: string | undefined, signal: AbortSignal): Promise<VmRefs>
  unprotect(vms: readonly string[], signal: AbortSignal): Promise<VmRefs>
}

type VmRefs = readonly Pick<VmView, 'id' | 'name'>[]
