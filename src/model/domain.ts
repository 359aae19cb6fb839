// What a storage domain looks like on disk to the engine that would import it.

/** A volume of an image; both are UUIDs. */
export interface VolumeRef {
  image: string
  volume: string
}

/** A volume as its description and its data's header tell it. */
export interface VolumeFacts {
  volume: string
  /** Absent at the bottom of a chain. */
  parent?: string
  /** `shared` is a template: several images may stand on it, and it is nobody's top. */
  role: 'top' | 'internal' | 'shared'
  /** The image that it belongs to by its own description: of a template's volume that of the template. */
  home?: string
  format: 'raw' | 'cow'
  legal: boolean
  /** What the guest sees. */
  capacityBytes: number
  /** What the file has. */
  fileBytes: number
}

/** One image directory. */
export interface ImageFacts {
  image: string
  /** The disk that holds the documents of VMs, not a VM's disk. */
  isOvfStore: boolean
  /** Bottom first where the chain is whole, else by id. */
  volumes: VolumeFacts[]
  /** Why an engine could not use this image; empty when it is sound. */
  flaws: string[]
  /** True when an engine that meets this image refuses the whole domain (one volume only, and it cannot be read). */
  blocksImport: boolean
}

/** A domain as an importing engine would find it. */
export interface DomainFacts {
  images: ReadonlyMap<string, ImageFacts>
  /** Why an engine could not attach the domain at all; empty when it could. */
  flaws: string[]
  blockBytes?: number
}

/** One of the domain's two stores of VM documents. */
export interface OvfStore extends VolumeRef {
  /** The text of its volume's description, one character per byte. */
  description: string
  /** The tar, as long as the description says; absent when the description does not vouch for it. */
  content?: Buffer
  /** By the description, in epoch milliseconds; 0 when it does not say. The engine reads the newest that is vouched for. */
  updatedAt: number
}

/** What a store says of one VM (or template). */
export interface VmDocument {
  id: string
  name: string
  /** The OVF. */
  text: string
  /** Every volume that it names. */
  volumes: VolumeRef[]
}

/** What the stores say, taken together. */
export interface StoredDocuments {
  documents: VmDocument[]
  /** Members that are no document of a VM, each with why; the engine passes over them. */
  skipped: string[]
  /** Why there are none at all. */
  flaw?: string
}

/** How this hypervisor keeps VMs on a storage domain. Paths are relative to the volume's root; ids that are no UUIDs throw. */
export interface DomainFormat {
  /** The file with a volume's data. */
  dataOf(domain: string, volume: VolumeRef): string
  /** Looks at every image below `root`; only reads. What is wrong is a flaw; throws Failure only when the domain cannot be read at all. */
  examine(root: string, domain: string, signal: AbortSignal): Promise<DomainFacts>
  /** The stores among the images given (all images of the domain when none are given), whether fit or not. */
  readOvfStores(
    root: string,
    domain: string,
    images: readonly string[] | undefined,
    signal: AbortSignal,
  ): Promise<OvfStore[]>
  /**
   * Writes a store back as it was kept, in place (same inodes), content first; nothing is written when it is so already.
   * True when it had to. Throws Failure, also when a store is vouched for whose content could not be kept.
   */
  putBackOvfStore(root: string, domain: string, kept: OvfStore): Promise<boolean>
  /** The documents of the newest store that is vouched for and reads. */
  documentsIn(stores: readonly OvfStore[]): Promise<StoredDocuments>
  /** Which of these ids occur anywhere in a store's content, also within the configurations kept with snapshots. */
  idsNamedIn(store: OvfStore, ids: ReadonlySet<string>): string[]
}
