/** How long the engine's and its hosts' own work takes, in milliseconds; real storage work comes on top. */
export interface Timings {
  /** SPM makes the volumes of a snapshot. */
  snapshotVolumes: number
  /** The VM switches to its overlays. */
  snapshotLive: number
  /** A snapshot with memory keeps the VM paused this much longer. */
  snapshotMemory: number
  /** The VM's lock outlives the snapshot's `ok` by this. */
  lockRelease: number
  /** Each of the four steps of a merge. */
  mergeStep: number
  /** Between the vanishing of a merged snapshot and the end of its job. */
  mergedBeforeJobEnds: number
  ovfUpdate: number
  vmStart: number
  vmStop: number
  vmMigration: number
  diskMove: number
  jobKeptAfterSuccess: number
  jobKeptAfterFailure: number
  /** A token that is not used for this long expires. */
  tokenIdle: number
}

export interface Settings {
  /** The engine's full version, such as `4.5.6-1.el9`. */
  version: string
  timings: Timings
  /** LiveSnapshotPerformFreezeInEngine: the engine freezes by itself and tells by events. */
  freezeInEngine: boolean
  /** LiveSnapshotAllowInconsistent: go on after a failed freeze of the engine's own. */
  allowInconsistent: boolean
  /** What a snapshot's POST answers while it is being made. */
  createAnswers: 201 | 202
  /** When a snapshot under removal vanishes from lists and look-ups. */
  removedVanishes: 'at once' | 'when merged'
  /** Period of the OVF_STORE update; undefined: only on request. */
  ovfEveryMs: number | undefined
}

const minute = 60_000

export const defaultSettings: Settings = {
  version: '4.5.6-1.el9',
  timings: {
    snapshotVolumes: 400,
    snapshotLive: 200,
    snapshotMemory: 3000,
    lockRelease: 500,
    mergeStep: 200,
    mergedBeforeJobEnds: 400,
    ovfUpdate: 500,
    vmStart: 1000,
    vmStop: 500,
    vmMigration: 1000,
    diskMove: 1000,
    jobKeptAfterSuccess: 10 * minute,
    jobKeptAfterFailure: 60 * minute,
    tokenIdle: 30 * minute,
  },
  freezeInEngine: false,
  allowInconsistent: true,
  createAnswers: 201,
  removedVanishes: 'when merged',
  ovfEveryMs: undefined,
}
