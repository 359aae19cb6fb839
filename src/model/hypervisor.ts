import type { DomainFormat } from './domain.ts'
import type { Finding } from './finding.ts'
import type { Overlay, StorageDomain, Vm, VmRef } from './vm.ts'

/** A job of the engine, by the tag it was started under. */
export interface Job {
  id: string
  tag: string
  description: string
  state: 'running' | 'finished' | 'failed'
  /** How far it is, as far as the engine tells: another text means that something moved. */
  progress?: string
}

/** What an engine's event means to a backup, where it means something. */
export type EventMeaning =
  | 'snapshot failed'
  /** The snapshot may be one in name only: its live part failed, yet the VM may run on the overlay. */
  | 'snapshot doubtful'
  | 'freeze failed'
  /** The engine itself froze the guest for a snapshot. */
  | 'guest frozen'
  /** The guest may still be frozen. */
  | 'thaw failed'
  | 'merge failed'
  | 'started'
  | 'stopped'
  /** By the host, for want of space or on an error of the storage. */
  | 'paused on an error'
  | 'snapshot taken'
  | 'snapshot removed'
  | 'restored from a snapshot'
  | 'got a disk'
  | 'disk moved'

/** An entry of the engine's audit log. */
export interface EngineEvent {
  /** Grows from event to event. */
  id: number
  /** Epoch milliseconds by the engine's clock; absent if it did not say. */
  at?: number
  code: number
  meaning?: EventMeaning
  severity: 'normal' | 'warning' | 'error' | 'alert'
  text: string
  tag?: string
  vmId?: string
}

/**
 * One look at some VMs, at the jobs of this process's own acts and at all events under a tag prefix. A VM that is gone is
 * missing; so is a job that the engine has forgotten, or that an earlier process started.
 */
export interface Observation {
  vms: ReadonlyMap<string, Vm>
  jobs: readonly Job[]
  events: readonly EngineEvent[]
}

/** How this hypervisor lays a volume out on the storage domain. Pure; paths are relative to the volume's root. */
export interface DiskLayout {
  /** The files of one volume, in the order in which they may be removed so that a crash leaves it listed. */
  filesOf(domain: string, image: string, volume: string): { data: string; inRemovalOrder: string[] }
  /** The directory of an image. */
  directoryOf(domain: string, image: string): string
  /** Of the names in an image's directory, those that are volumes' data, i.e. the volumes' ids. */
  volumesIn(names: readonly string[]): string[]
  /** The small file that describes a volume. */
  descriptionOf(domain: string, image: string, volume: string): string
  /** That file's text with the volume marked as the top of its chain; throws if it does not describe this volume. */
  asTop(text: string, expected: { domain: string; image: string; volume: string }): string
}

export interface Cluster {
  id: string
  name: string
}

/** What the operator is told through the engine. */
export interface Announcement {
  severity: 'normal' | 'warning' | 'alert'
  text: string
  domain?: StorageDomain
  clusterId?: string
}

/**
 * What a backup asks of the engine. Every method is one question or one act: the waiting is the story's.
 * Acts take a `tag` (letters, digits, `-`, at most 50) under which their jobs and events are found again.
 * Reads are retried inside while the engine restarts (bounded); acts are retried only where the engine surely refused
 * them (409, 401). All throw EngineError.
 */
export interface Hypervisor {
  readonly layout: DiskLayout
  readonly format: DomainFormat

  /** Signs on and says what the engine is, e.g. `oVirt Engine 4.5.6`. */
  about(signal: AbortSignal): Promise<string>
  /** What preflight should tell beyond being unreachable, e.g. that TLS is not verified. Changes nothing. */
  findings(signal: AbortSignal): Promise<Finding[]>
  domains(signal: AbortSignal): Promise<StorageDomain[]>
  /** All VMs with at least one disk on that domain, however many, with all their disks and snapshots. */
  vms(domain: StorageDomain, signal: AbortSignal): Promise<Vm[]>
  /** At most three requests however many VMs are asked for (up to 100). */
  observe(vms: readonly VmRef[], tagPrefix: string, signal: AbortSignal): Promise<Observation>

  /** The VMs that have one of these ids or, without case, names; all that there are when none are given. */
  findVms(namesOrIds: readonly string[] | 'all', signal: AbortSignal): Promise<VmRef[]>
  clusters(signal: AbortSignal): Promise<Cluster[]>
  /**
   * The VMs that carry the tag, or one below it in the engine's tree of tags, however many. Names of tags are compared
   * without case; of a tag that there is not, nobody.
   */
  tagged(tag: string, signal: AbortSignal): Promise<VmRef[]>
  /** Puts a tag on a VM, and makes the tag if there is none of that name. On it already = done. */
  tag(vm: VmRef, tag: string, signal: AbortSignal): Promise<void>
  /** Takes the tag itself, none below it, from a VM. Not on it, or no such tag = done. */
  untag(vm: VmRef, tag: string, signal: AbortSignal): Promise<void>

  /** True when the engine surely knows this VM no more; that it is missing from one look is no proof. */
  isGone(vm: VmRef, signal: AbortSignal): Promise<boolean>

  /** The id of the newest event. */
  latestEvent(signal: AbortSignal): Promise<number>
  /** All events after that one that mean something, oldest first; events without a VM are left out. One request. */
  eventsAfter(id: number, signal: AbortSignal): Promise<EngineEvent[]>

  /** Asks the engine to write what it knows of the VMs onto the domain; its job carries the tag. */
  updateOvfStore(domain: StorageDomain, tag: string, signal: AbortSignal): Promise<void>
  /** Returns when the guest has flushed and frozen its file systems; it stays so until `thaw`. Throws when it could not. */
  freeze(vm: VmRef, signal: AbortSignal): Promise<void>
  /** Lets the guest write again. Not frozen, not running or gone = done. */
  thaw(vm: VmRef, signal: AbortSignal): Promise<void>
  /** Starts a snapshot without memory, with exactly these overlays as new active volumes. Returns the snapshot's id. */
  takeSnapshot(
    vm: VmRef,
    snapshot: { description: string; overlays: readonly Overlay[] },
    tag: string,
    signal: AbortSignal,
  ): Promise<string>
  /** Starts the merge of a snapshot. Already gone = done. */
  removeSnapshot(vm: VmRef, snapshotId: string, tag: string, signal: AbortSignal): Promise<void>

  /** Posts an event once; `number` (31 bits) makes it unique for ever: already there = done. */
  announce(announcement: Announcement, number: number, signal: AbortSignal): Promise<void>
  /** Opens a job in the engine's Tasks pane; returns its id. */
  openJob(description: string, tag: string, signal: AbortSignal): Promise<string>
  /** Ids of our open jobs whose description contains the text. */
  findJobs(text: string, signal: AbortSignal): Promise<string[]>
  openStep(jobId: string, description: string, tag: string, signal: AbortSignal): Promise<string>
  closeStep(jobId: string, stepId: string, succeeded: boolean, signal: AbortSignal): Promise<void>
  /** Ends a job and its open steps. Already ended or gone = done. */
  closeJob(jobId: string, succeeded: boolean, signal: AbortSignal): Promise<void>

  /** Ends the sign-on; never throws. */
  close(): Promise<void>
}
