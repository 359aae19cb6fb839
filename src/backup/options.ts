import type { Policy } from '../model/selection.ts'
import type { Windowed } from '../model/window.ts'
import type { NamedSelection } from './select.ts'

/** The knobs of a backup, all of them with a default in the configuration. Durations in milliseconds. */
export interface BackupOptions {
  /** Name of the storage domain; found by the volume when absent. */
  storageDomain?: string
  /** Who is protected; everybody but who is kept out by the tag for that when absent. */
  selection?: NamedSelection & { policies: readonly Policy[] }
  /** Whether guests with an agent freeze their file systems for their snapshot, and whether that may fail. */
  freeze: 'try' | 'require' | 'no'
  /** A guest is frozen no longer than this. */
  freezeMs: number
  snapshotMs: number
  snapshotsAtOnce: number
  mergeMs: number
  mergesAtOnce: number
  /** Of these, on one host. */
  mergesPerHost: number
  /** A merge of which nothing moves for so long counts as stuck. */
  mergeStallMs: number
  /** With less free space on the primary no overlay may live. */
  minFree: { bytes: number } | { percent: number }
  replicationMs: number
  /** A checkpoint without any progress for so long is answered by stop and start. */
  stallMs: number
  /** Bytes per second that replication may send, all its workers together; the first that fits holds. */
  bandwidth?: readonly Windowed<number>[]
  /** Of `bandwidth`; that of the system when absent. */
  timeZone?: string
  /** Between two looks at the engine or at the replication. */
  intervalMs: number
  /** How the frozen images are compared at both ends. */
  compare: 'quick' | 'full' | 'off'
  /** A quick comparison is made a full one when the last full one is so long ago. */
  fullEveryMs?: number
  /** Bytes read of each image at each end by a quick comparison. */
  sampleBytes: number
  imagesAtOnce: number
  /** All reads of the comparison together, at each end, per second. */
  readBytesPerSecond?: number
  /** How often what differs is sent again before its VM fails. */
  healTurns: number
  /** Of the program, e.g. `vmbackup 1.2.3`; stands in manifests. */
  tool: string
}
