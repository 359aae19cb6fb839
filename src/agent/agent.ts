import type { RunEvent } from '../run/event.ts'
import type { Report } from '../run/report.ts'
import type { JobView, PointView, RunSummary, StatusView, VmView } from './view.ts'

/** What the agent tells while it goes on, to whoever watches. */
export type AgentEvent =
  /** Of one of the job's runs; `pair` as `volume--host--volume`. */
  | { kind: 'run'; job: string; pair: string; event: RunEvent }
  /** Something of a job, a VM or a trouble has changed: ask again. */
  | { kind: 'changed' }

/** What can be asked of the agent; answers at once, from what it knows. */
export interface AgentView {
  status(): StatusView
  jobs(): JobView[]
  /** By name. */
  vms(): VmView[]
  /** Newest first. */
  runs(query: { job?: string; limit: number }): RunSummary[]
  report(run: string): Report | undefined
  /** Newest first. */
  points(): PointView[]
  /** Calls back for every event until the returned function is called. */
  watch(listener: (event: AgentEvent) => void): () => void
}

/** What the agent can be told to do. All throw `Unknown` for a name that there is not, and `Refused` for what cannot be done now. */
export interface AgentActs {
  /** Starts a run of the job now, also when it is paused; queued while another one goes on. Already queued or running = done. */
  start(job: string): 'started' | 'queued' | 'running'
  /** Ends the job's run in good order, or takes it out of the queue. Nothing there = done. */
  cancel(job: string): void
  /** No start by schedule until it is resumed; survives restarts. */
  pause(job: string): void
  /** Missed runs are not made up for. */
  resume(job: string): void
  /** Gives VMs (names or ids) the policy, by its tag in the engine; without a policy the only one there is. */
  protect(vms: readonly string[], policy: string | undefined, signal: AbortSignal): Promise<VmView[]>
  /** Takes policies from VMs and keeps them out of every selection, by a tag in the engine. */
  unprotect(vms: readonly string[], signal: AbortSignal): Promise<VmView[]>
}

export type Agent = AgentView & AgentActs
