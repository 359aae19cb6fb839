/** The knobs of a backup, all of them with a default in the configuration. Durations in milliseconds. */
export interface BackupOptions {
  /** Name of the storage domain; found by the volume when absent. */
  storageDomain?: string
  snapshotMs: number
  snapshotsAtOnce: number
  mergeMs: number
  mergesAtOnce: number
  replicationMs: number
  /** A checkpoint without any progress for so long is answered by stop and start. */
  stallMs: number
  /** Between two looks at the engine or at the replication. */
  intervalMs: number
  /** How the frozen images are compared at both ends. */
  compare: 'quick' | 'off'
  /** Bytes read of each image at each end. */
  sampleBytes: number
}
