import { statfs } from 'node:fs/promises'
import type { VolumeRef } from '../vm-host.ts'
import { VdsmStorage } from './vdsm-storage.ts'

/** A mounted volume, and what `dom_md/metadata` names as its source (`host:/volume`). */
export interface Mounted {
  mount: string
  remotePath?: string | undefined
}

/** The storage domains of a host, and which of them an image lies on. */
export class Domains {
  readonly #mounts: readonly Mounted[]
  readonly #domains: VdsmStorage[] = []
  readonly #homes = new Map<string, VdsmStorage>()

  /** `opened`: a domain that is there already, on the first mount. */
  constructor(mounts: readonly [Mounted, ...Mounted[]], opened: string | undefined) {
    this.#mounts = mounts
    if (opened !== undefined) this.#domains.push(new VdsmStorage(mounts[0].mount, opened))
  }

  /** On the mount whose source it names, else on the first. */
  async create(about: { id: string; pool: string; description: string; source?: string }): Promise<void> {
    const on = this.#mounts.find(({ remotePath }) => remotePath === about.source) ?? this.#mounts[0]
    if (on === undefined) throw new Error('the host has no mount')
    const domain = new VdsmStorage(on.mount, about.id)
    await domain.create({ ...about, remotePath: on.remotePath ?? on.mount })
    this.#domains.push(domain)
  }

  /** By id; the first when none is named. */
  get(id?: string): VdsmStorage {
    const found = id === undefined ? this.#domains[0] : this.#domains.find(({ domain }) => domain === id)
    if (found === undefined) throw new Error(`the host has no storage domain ${id ?? ''}`.trim())
    return found
  }

  /** The domain on which a new image is made. */
  homeFor(image: string, id: string | undefined): VdsmStorage {
    const home = this.get(id)
    this.#homes.set(image, home)
    return home
  }

  /** The domain that has an image. */
  of({ image }: Pick<VolumeRef, 'image'>): VdsmStorage {
    return this.#homes.get(image) ?? this.get()
  }

  async space(id: string): Promise<{ totalBytes: number; freeBytes: number }> {
    const { blocks, bavail, bsize } = await statfs(this.get(id).root)
    return { totalBytes: blocks * bsize, freeBytes: bavail * bsize }
  }
}
