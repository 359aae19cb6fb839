/** A volume of an image on the lab's storage domain; ids are UUIDs, the image id is the disk's id. */
export interface VolumeRef {
  image: string
  volume: string
}

export interface NewVolume extends VolumeRef {
  /** The storage domain; the first one when absent. */
  domain?: string | undefined
  /** Virtual size. */
  sizeBytes: number
  format: 'raw' | 'cow'
  alias: string
}

/** An overlay over a base of the same image. */
export interface OverlayRef {
  image: string
  base: string
  overlay: string
}

/** A VM as its host has to run it: every disk by its chain, base first, active volume last. */
export interface VmSpec {
  id: string
  name: string
  disks: { image: string; chain: { volume: string; format: 'raw' | 'cow' }[] }[]
  /** Without one, `freeze` and `thaw` throw. */
  guestAgent?: boolean
  /** What the guest writes to its disks; absent = the host's default, 0 = nothing. */
  writesPerSecond?: number
}

/** What an OVF_STORE holds: its tar's members by name, in order. */
export interface OvfStoreContent {
  members: { name: string; content: string }[]
  /** When the engine wrote it. */
  at: Date
}

/**
 * What the simulated engine asks of its hosts and their storage: the work that vdsm, libvirt and qemu do.
 * Errors are thrown as `Error`; the engine turns them into failed jobs and events. Two implementations: recorded
 * in memory (unit tests, large inventories) and real (qemu-storage-daemon on a Gluster mount, vdsm's layout).
 */
export interface VmHost {
  /**
   * Writes dom_md of a storage domain; `pool` is the data centre's id, `source` what is mounted (`host:/volume`). Done once
   * for each, before anything else.
   */
  createDomain(domain: { id: string; pool: string; description: string; source?: string }): Promise<void>
  /** Makes the image directory with one LEAF volume: data, `.lease`, `.meta`. */
  createVolume(volume: NewVolume): Promise<void>
  /** SPM's part of a snapshot: parent `.meta` INTERNAL, then overlay data, `.lease`, `.meta` (COW, LEAF, PUUID=base). */
  createOverlay(overlay: OverlayRef): Promise<void>
  /** SPM's part of a removal: the overlay's three files go, the base's `.meta` becomes LEAF again. */
  removeOverlay(overlay: OverlayRef): Promise<void>
  /** Marks a volume in its `.meta`. */
  setLegality(volume: VolumeRef, legality: 'LEGAL' | 'ILLEGAL'): Promise<void>
  /** Removes an image directory whole. */
  removeImage(image: string): Promise<void>

  start(vm: VmSpec): Promise<void>
  stop(vmId: string): Promise<void>
  /** Gives a running VM one more disk. A host that cannot leaves this out: the disk is there at the next start. */
  plug?(vmId: string, disk: VmSpec['disks'][number]): Promise<void>
  /** Ends a VM's process by force, as if it had died by itself. */
  crash?(vmId: string): Promise<void>
  /** The guest issues no more writes until it is resumed. */
  suspend?(vmId: string): Promise<void>
  resume?(vmId: string): Promise<void>
  /**
   * Freezes the guest's file systems: all is flushed and no write follows; throws if the guest has no agent, or is frozen.
   * Thawing a guest that is not frozen changes nothing.
   */
  freeze(vmId: string): Promise<void>
  thaw(vmId: string): Promise<void>
  /** The live part of a snapshot: all overlays of one VM become active in one transaction. */
  switchToOverlays(vmId: string, overlays: OverlayRef[]): Promise<void>
  /** Live commit of one overlay into its base with pivot; ends when the VM writes into the base again. */
  mergeLive(vmId: string, overlay: OverlayRef): Promise<void>
  /** The same for a VM that is down. */
  mergeCold(overlay: OverlayRef): Promise<void>

  /** Bytes that a volume occupies. */
  allocatedBytes(volume: VolumeRef): Promise<number>
  /** Total and free bytes of a storage domain. */
  space(domain: string): Promise<{ totalBytes: number; freeBytes: number }>

  /** Makes an OVF_STORE disk (DISKTYPE=OVFS, raw), as `createVolume` does for a data disk. */
  createOvfStore(volume: VolumeRef & Pick<NewVolume, 'domain'>): Promise<void>
  /** Writes its content as the engine does: description Updated=false, tar, description Updated=true with Size. */
  writeOvfStore(volume: VolumeRef, content: OvfStoreContent): Promise<void>

  /** Ends every VM and frees what this host holds. */
  close(): Promise<void>
}
