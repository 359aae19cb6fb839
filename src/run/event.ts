import type { VmRef } from '../model/vm.ts'
import type { Comparison, Report } from './report.ts'

/** What a run tells while it goes on: the one source of log, progress, Tasks pane and report. */
export type RunEvent =
  | { kind: 'run began'; run: string }
  | { kind: 'step began'; step: string }
  | { kind: 'step ended'; step: string; ms: number; error?: string }
  /** One VM moved on, e.g. `snapshot taken`; `done` of `of` VMs are through this step. `asked`: what it took of the engine. */
  | { kind: 'vm'; vm: VmRef; did: string; done: number; of: number; asked?: Asked }
  /** What the run is waiting for at this moment; `leftMs`: for how long, where that can be told. */
  | { kind: 'waiting'; what: string; leftMs?: number }
  /** `again`: what is tried once more. */
  | { kind: 'note'; severity: 'info' | 'warning'; text: string; again?: 'replication' }
  | { kind: 'settled'; what: string }
  | { kind: 'left open'; what: string; why: string }
  /** How the copy was compared with its source. */
  | { kind: 'compared'; comparison: Comparison }
  /** Earlier recovery points on the secondary are given up: from here on it is written over. */
  | { kind: 'points withdrawn' }
  /** The recovery point is complete and its manifest written. */
  | { kind: 'point made'; manifest: string }
  | { kind: 'run ended'; report: Report }

/** How often the engine was asked for an act on a VM, and how long that took from beginning to end. */
interface Asked {
  act: 'snapshot' | 'merge'
  times: number
  ms: number
}

export type Emit = (event: RunEvent) => void
