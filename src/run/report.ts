import { Cancelled, chainOf, hintOf, Locked, Refused, UsageError } from '../model/errors.ts'

export type Outcome =
  | 'protected'
  | 'partly protected'
  | 'failed'
  | 'refused'
  | 'locked'
  | 'cancelled'
  | 'usage error'

/** `frozen`: the guest's file systems were frozen; `crash`: as after a power cut; `offline`: the VM was down throughout. */
export type Consistency = 'frozen' | 'crash' | 'offline'

export interface DiskResult {
  id: string
  name: string
  /** `elsewhere`: another run of the same job is about it, and `why` names that; its VM is protected by all of them or not at all. */
  state: 'protected' | 'left out' | 'failed' | 'elsewhere'
  why?: string
}

/** How far the copy was compared: every byte, samples of every image, or not at all. */
export type Compared = 'full' | 'samples' | 'none'

/** The copy is the state of an instant between these; all that was written before `earliest` is in it. ISO 8601. */
export interface AsOf {
  earliest: string
  latest: string
}

/** One comparison of the copy with its source, with all its turns. */
export interface Comparison {
  mode: 'quick' | 'full' | 'off'
  /** At each end. */
  bytesRead: number
  /** Files that differed and were sent again. */
  healed: number
}

export type VmResult = { id: string; name: string; disks: DiskResult[] } & (
  | { state: 'protected'; consistency: Consistency; asOf: AsOf; content: Compared; why?: string }
  | { state: 'left out' | 'failed'; why: string }
)

export interface ReportedError {
  message: string
  causes: string[]
  hint?: string
}

/** What `--json` prints; its schema is report.schema.json beside this file. */
export interface Report {
  version: 1
  run: string
  /** Of the configuration; absent for a run from the classic command line. */
  job?: string
  /** Runs of the same job on other volumes that began together with this one. */
  with?: string[]
  outcome: Outcome
  startedAt: string
  finishedAt: string
  primary: string
  secondary: { host: string; volume: string }
  steps: { name: string; ms: number; error?: string }[]
  vms: VmResult[]
  comparison?: Comparison
  /** True when earlier recovery points on the secondary were given up for this one: what it does not claim, nothing does. */
  overwrote: boolean
  /** The manifest of the recovery point, as a path on the secondary volume. */
  manifest?: string
  warnings: string[]
  /** What the run owed and could not settle: the next start tries again. */
  leftOpen: { what: string; why: string }[]
  error?: ReportedError
}

const exitCodes = {
  protected: 0,
  failed: 1,
  'usage error': 2,
  'partly protected': 3,
  refused: 4,
  locked: 5,
  cancelled: 130,
} as const satisfies Record<Outcome, number>

/** The process's exit code for an outcome; the table is in README.md. */
export function exitCodeOf(outcome: Outcome): number {
  return exitCodes[outcome]
}

/** The outcome of a run: what stopped it, else what became of its VMs; VMs left out do not lower it. */
export function outcomeOf(vms: readonly VmResult[], error: unknown): Outcome {
  if (error instanceof Cancelled) return 'cancelled'
  if (error instanceof Refused) return 'refused'
  if (error instanceof Locked) return 'locked'
  if (error instanceof UsageError) return 'usage error'
  if (error !== undefined) return 'failed'
  const failed = vms.filter((vm) => vm.state === 'failed').length
  if (failed === 0) return 'protected'
  return vms.some((vm) => vm.state === 'protected') ? 'partly protected' : 'failed'
}

/** An error as it stands in a report. */
export function reportedError(error: unknown): ReportedError {
  const [message = 'unknown error', ...causes] = chainOf(error)
  const hint = hintOf(error)
  return { message, causes, ...(hint === undefined ? {} : { hint }) }
}
