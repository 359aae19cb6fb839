/** oVirt's states of a VM; what this version does not know is `unknown`. */
export type VmStatus =
  | 'up'
  | 'down'
  | 'paused'
  | 'powering_up'
  | 'powering_down'
  | 'reboot_in_progress'
  | 'migrating'
  | 'suspended'
  | 'image_locked'
  | 'not_responding'
  | 'saving_state'
  | 'restoring_state'
  | 'wait_for_launch'
  | 'unassigned'
  | 'unknown'

export interface Disk {
  /** Also the name of its image directory. */
  id: string
  name: string
  kind: 'image' | 'lun' | 'other'
  /** Ids of the storage domains it lies on. */
  domains: string[]
  /** Its active volume: the top of the chain. Absent for a LUN. */
  volume?: string
  plugged: boolean
  shareable: boolean
  status: 'ok' | 'locked' | 'illegal'
  sizeBytes: number
}

export interface Snapshot {
  id: string
  description: string
  /** `active` is the row that stands for the VM's present. */
  kind: 'regular' | 'active' | 'preview' | 'other'
  status: 'ok' | 'locked' | 'in_preview'
}

export interface Vm {
  id: string
  name: string
  status: VmStatus
  hostedEngine: boolean
  clusterId?: string
  /** Where it runs; absent while it does not. */
  hostId?: string
  /** True when the guest has told the engine about itself, so that its file systems can be frozen. */
  guestAgent: boolean
  disks: Disk[]
  snapshots: Snapshot[]
}

/** An overlay as it is planned before it exists; all ids are UUIDs. */
export interface Overlay {
  /** Disk id = image id. */
  image: string
  base: string
  overlay: string
}

export interface VmRef {
  id: string
  name: string
}

export interface StorageDomain {
  id: string
  name: string
  /** `glusterfs` also when the engine knows it as posixfs with vfs_type glusterfs. */
  type: string
  address: string
  path: string
  dataCenterId?: string
  /** State inside its data centre, e.g. `active`, `maintenance`; absent when unattached. */
  status?: string
}

/** True for the states in which the engine takes a live snapshot; `down` needs none. */
export function takesLiveSnapshot(status: VmStatus): boolean {
  return status === 'up' || status === 'paused' || status === 'powering_up' || status === 'reboot_in_progress'
}
