/** What is protected: every engine alike, its VMs spread evenly over its volumes. */
export interface Estate {
  engines: number
  vmsPerEngine: number
  disksPerVm: number
  bytes: number
  /** Volumes of one engine; each is a pair of its own, and all are replicated at the same time. */
  volumes: number
  /** Of the bytes, how many guests change in a day. */
  changedPerDay: number
  sharded: boolean
}

/** What it stands on. None of this can be measured on one machine: what is put in here is said in the report. */
export interface Ground {
  /** Of the engine's job that takes one VM's snapshot, and of its job that merges one whose overlay is empty. */
  snapshotSeconds: number
  mergeSeconds: number
  /** How fast one merge copies an overlay down. */
  mergeBytesPerSecond: number
  /** Between the two sites, for all together. */
  linkBytesPerSecond: number
  /** How fast the replication of one volume reads files at each end, all its workers together. */
  readBytesPerSecond: number
  /** Replication reads so many bytes for one that was changed, where files are in shards: a shard holds more than what changed in it. */
  readForChanged: number
}

/** What the other sections have measured. */
export interface Costs {
  /** Of a replication that has nothing to send. */
  cycleSeconds: number
  /** Reading the inventory and planning, for one VM. */
  planSecondsPerVm: number
  /** What the agent computes in one run, for one VM. */
  cpuSecondsPerVm: number
  requestsPerVm: number
  /** A quick comparison of one image, while no other one is compared. */
  compareSecondsPerImage: number
  /** Looking whether a shard is there, at both ends at the same time, as many at once as are looked at. */
  lookSecondsPerPiece: number
}

/** The knobs of the agent. */
export interface Knobs {
  snapshotsAtOnce: number
  mergesAtOnce: number
  imagesAtOnce: number
  intervalMs: number
}

/** As large as ten engines get. */
export const bigEstate: Estate = {
  engines: 10,
  vmsPerEngine: 10_000,
  disksPerVm: 2,
  bytes: 500e12,
  volumes: 4,
  changedPerDay: 0.02,
  sharded: true,
}

export const usualGround: Ground = {
  snapshotSeconds: 8,
  mergeSeconds: 15,
  mergeBytesPerSecond: 100e6,
  linkBytesPerSecond: 5e9,
  readBytesPerSecond: 1e9,
  readForChanged: 20,
}

/** VMs of one volume. */
export function vmsOf({ vmsPerEngine, volumes }: Estate): number {
  return Math.ceil(vmsPerEngine / volumes)
}
