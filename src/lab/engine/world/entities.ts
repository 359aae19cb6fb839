type VmStatus =
  | 'down'
  | 'up'
  | 'powering_up'
  | 'powering_down'
  | 'paused'
  | 'migrating'
  | 'unknown'
  | 'not_responding'
  | 'wait_for_launch'
  | 'reboot_in_progress'
  | 'saving_state'
  | 'restoring_state'
  | 'suspended'
  | 'image_locked'
  | 'unassigned'

type ImageStatus = 'ok' | 'locked' | 'illegal'

/** One volume of an image as the engine's database knows it. */
export interface Volume {
  id: string
  format: 'raw' | 'cow'
  parent: string | undefined
  /** The snapshot that holds it: the active one for the volume written to. */
  snapshot: string | undefined
  status: ImageStatus
  created: Date
  allocatedBytes: number
}

export interface Disk {
  id: string
  alias: string
  description: string
  storageType: 'image' | 'lun'
  contentType: 'data' | 'ovf_store' | 'memory_dump_volume' | 'memory_metadata_volume'
  sizeBytes: number
  /** Undefined for a direct LUN. */
  domain: string | undefined
  shareable: boolean
  status: ImageStatus
  /** Base first, the active volume last; empty for a direct LUN. */
  volumes: Volume[]
  /** The VMs it is attached to. */
  vms: Set<string>
  lun?: { id: string; address: string; target: string }
}

export interface Attachment {
  disk: string
  /** Plugged, in the API: `active`. */
  plugged: boolean
  bootable: boolean
  readOnly: boolean
}

export interface Snapshot {
  id: string
  description: string
  type: 'regular' | 'active' | 'stateless' | 'preview'
  status: 'ok' | 'locked' | 'in_preview'
  date: Date
  memory: boolean
  /** The volume of each disk as the configuration kept with the snapshot names it. */
  disks: Map<string, string>
  /** Without its configuration a snapshot vanishes from lists and look-ups (BZ 1530603). */
  configured: boolean
}

export interface Vm {
  id: string
  name: string
  description: string
  status: VmStatus
  origin: 'ovirt' | 'rhev' | 'managed_hosted_engine' | 'hosted_engine' | 'external' | 'vmware' | 'kubevirt'
  cluster: string
  /** The host it runs on. */
  host: string | undefined
  stateless: boolean
  guestAgent: boolean
  highlyAvailable: boolean
  haPriority: number
  memoryBytes: number
  created: Date
  started: Date | undefined
  stopped: Date | undefined
  attachments: Map<string, Attachment>
  /** Oldest first; the active one is last. */
  snapshots: Snapshot[]
  tags: Set<string>
  /** Moved by every change of its configuration; says whether its OVF is stale. */
  generation: number
  ovf: { generation: number; text: string } | undefined
  /** A command that holds the VM: why others are refused. */
  lock: string | undefined
}

export interface DataCenter {
  id: string
  name: string
  status: 'up' | 'not_operational' | 'problematic' | 'maintenance' | 'uninitialized' | 'contend'
}

export interface Cluster {
  id: string
  name: string
  dataCenter: string
}

export interface Host {
  id: string
  name: string
  address: string
  cluster: string
  status: 'up' | 'down' | 'maintenance' | 'non_operational' | 'non_responsive'
  spm: boolean
}

export interface StorageDomain {
  id: string
  name: string
  type: 'data' | 'iso' | 'export' | 'image'
  /** Undefined when it is attached to no data centre. */
  dataCenter: string | undefined
  status:
    | 'active'
    | 'inactive'
    | 'maintenance'
    | 'locked'
    | 'unattached'
    | 'unknown'
    | 'preparing_for_maintenance'
  externalStatus: 'ok' | 'info' | 'warning' | 'error' | 'failure'
  master: boolean
  storage: { type: string; address: string; path: string; vfsType?: string; mountOptions?: string }
  criticalSpaceGb: number
  totalBytes: number
  freeBytes: number
  /** Its two OVF_STORE disks; none for domains that the lab's host does not hold. */
  ovfStores: string[]
  /** What the stores hold: the generation of each VM written. */
  ovfWritten: Map<string, number>
  locked: boolean
}

/** A thing that is only listed: template, network, profile, affinity group and the like. */
export interface Named {
  id: string
  name: string
  description: string
}

export interface Tag extends Named {
  /** Undefined for the root, which is no real tag. */
  parent: string | undefined
}

export interface Role extends Named {
  administrative: boolean
  permits: string[]
}

export interface User {
  id: string
  /** As the user signs on: `admin@internal`. */
  login: string
  password: string
  principal: string
  /** The authorization domain: `internal-authz`. */
  domain: string
  role: string
}
