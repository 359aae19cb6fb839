import type { NewVolume, OverlayRef, OvfStoreContent, VmHost, VmSpec, VolumeRef } from '../vm-host.ts'

/** A volume as its `.meta` would describe it. */
export interface RecordedVolume {
  format: 'raw' | 'cow'
  type: 'LEAF' | 'INTERNAL'
  legality: 'LEGAL' | 'ILLEGAL'
  parent: string | undefined
  sizeBytes: number
  ovfStore: boolean
}

/** A VM as it runs: per image the volume written to. */
export interface RecordedVm {
  name: string
  writesTo: Map<string, string>
  frozen: boolean
  paused: boolean
}

const allocated = 1024 * 1024
const defaultTotal = 1024 ** 4

/** A `VmHost` in memory: no qemu, no disk, but the same refusals and the same state to look at. */
export class RecordedHost implements VmHost {
  readonly domains = new Map<string, { pool: string; description: string }>()
  readonly images = new Map<string, Map<string, RecordedVolume>>()
  readonly vms = new Map<string, RecordedVm>()
  readonly ovfStores = new Map<string, OvfStoreContent>()
  /** What `space` answers. */
  readonly storage = { totalBytes: defaultTotal, freeBytes: defaultTotal / 2 }

  async createDomain({
    id,
    pool,
    description,
  }: {
    id: string
    pool: string
    description: string
  }): Promise<void> {
    this.domains.set(id, { pool, description })
  }

  async createVolume({ image, volume, format, sizeBytes }: NewVolume): Promise<void> {
    if (this.images.has(image)) throw new Error(`image ${image} exists`)
    const leaf = {
      format,
      type: 'LEAF',
      legality: 'LEGAL',
      parent: undefined,
      sizeBytes,
      ovfStore: false,
    } as const
    this.images.set(image, new Map([[volume, leaf]]))
  }

  async createOverlay({ image, base, overlay }: OverlayRef): Promise<void> {
    const under = this.#volume({ image, volume: base })
    if (under.type !== 'LEAF') throw new Error(`volume ${base} is no leaf`)
    if (this.#image(image).has(overlay)) throw new Error(`volume ${overlay} exists`)
    under.type = 'INTERNAL'
    this.#image(image).set(overlay, {
      format: 'cow',
      type: 'LEAF',
      legality: 'LEGAL',
      parent: base,
      sizeBytes: under.sizeBytes,
      ovfStore: false,
    })
  }

  async removeOverlay({ image, base, overlay }: OverlayRef): Promise<void> {
    const removed = this.#volume({ image, volume: overlay })
    this.#image(image).delete(overlay)
    for (const volume of this.#image(image).values()) if (volume.parent === overlay) volume.parent = base
    if (removed.type === 'LEAF') this.#volume({ image, volume: base }).type = 'LEAF'
  }

  async setLegality(ref: VolumeRef, legality: 'LEGAL' | 'ILLEGAL'): Promise<void> {
    this.#volume(ref).legality = legality
  }

  async removeImage(image: string): Promise<void> {
    this.images.delete(image)
  }

  async start({ id, name, disks }: VmSpec): Promise<void> {
    if (this.vms.has(id)) throw new Error(`VM ${name} runs already`)
    const writesTo = new Map<string, string>()
    for (const { image, chain } of disks) {
      const active = chain.at(-1)?.volume ?? ''
      if (this.#volume({ image, volume: active }).type !== 'LEAF')
        throw new Error(`volume ${active} is no leaf`)
      writesTo.set(image, active)
    }
    this.vms.set(id, { name, writesTo, frozen: false, paused: false })
  }

  async stop(vmId: string): Promise<void> {
    this.vms.delete(vmId)
  }

  async plug(vmId: string, { image, chain }: VmSpec['disks'][number]): Promise<void> {
    this.#vm(vmId).writesTo.set(image, chain.at(-1)?.volume ?? '')
  }

  async suspend(vmId: string): Promise<void> {
    this.#vm(vmId).paused = true
  }

  async resume(vmId: string): Promise<void> {
    this.#vm(vmId).paused = false
  }

  async freeze(vmId: string): Promise<void> {
    const vm = this.#vm(vmId)
    if (vm.frozen) throw new Error('domain is already quiesced')
    vm.frozen = true
  }

  async thaw(vmId: string): Promise<void> {
    this.#vm(vmId).frozen = false
  }

  async switchToOverlays(vmId: string, overlays: OverlayRef[]): Promise<void> {
    const { writesTo } = this.#vm(vmId)
    for (const { image, base } of overlays) {
      if (writesTo.get(image) !== base) throw new Error(`VM does not write to ${base}`)
    }
    for (const { image, overlay } of overlays) writesTo.set(image, overlay)
  }

  async mergeLive(vmId: string, { image, base, overlay }: OverlayRef): Promise<void> {
    const { writesTo } = this.#vm(vmId)
    if (this.#volume({ image, volume: overlay }).parent !== base)
      throw new Error(`${overlay} is not over ${base}`)
    if (writesTo.get(image) === overlay) writesTo.set(image, base)
  }

  async mergeCold({ image, base, overlay }: OverlayRef): Promise<void> {
    if (this.#volume({ image, volume: overlay }).parent !== base)
      throw new Error(`${overlay} is not over ${base}`)
    const user = [...this.vms.values()].find(({ writesTo }) => writesTo.get(image) === overlay)
    if (user) throw new Error(`VM ${user.name} uses ${overlay}`)
  }

  async allocatedBytes(ref: VolumeRef): Promise<number> {
    return Math.min(allocated, this.#volume(ref).sizeBytes)
  }

  async space(): Promise<{ totalBytes: number; freeBytes: number }> {
    return { ...this.storage }
  }

  async createOvfStore({ image, volume }: VolumeRef): Promise<void> {
    await this.createVolume({
      image,
      volume,
      format: 'raw',
      sizeBytes: 128 * 1024 * 1024,
      alias: 'OVF_STORE',
    })
    this.#volume({ image, volume }).ovfStore = true
  }

  async writeOvfStore(ref: VolumeRef, content: OvfStoreContent): Promise<void> {
    if (!this.#volume(ref).ovfStore) throw new Error(`${ref.volume} is no OVF_STORE`)
    this.ovfStores.set(ref.volume, content)
  }

  async close(): Promise<void> {
    this.vms.clear()
  }

  #image(image: string): Map<string, RecordedVolume> {
    const volumes = this.images.get(image)
    if (volumes === undefined) throw new Error(`no image ${image}`)
    return volumes
  }

  #volume({ image, volume }: VolumeRef): RecordedVolume {
    const found = this.#image(image).get(volume)
    if (found === undefined) throw new Error(`no volume ${volume} in image ${image}`)
    return found
  }

  #vm(id: string): RecordedVm {
    const vm = this.vms.get(id)
    if (vm === undefined) throw new Error(`VM ${id} does not run`)
    return vm
  }
}
