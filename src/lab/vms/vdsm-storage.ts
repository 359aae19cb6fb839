import {
  chmod,
  chown,
  type FileHandle,
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  rm,
  stat,
} from 'node:fs/promises'
import { join } from 'node:path'
import type { NewVolume, OverlayRef, OvfStoreContent, VolumeRef } from '../vm-host.ts'
import {
  domainMetadata,
  formatDomainMetadata,
  formatMeta,
  noParent,
  parseMeta,
  type VolumeMeta,
} from './meta.ts'
import { javaDate, lastUpdatedIn, ovfDescription, ovfStoreBytes, ovfTar } from './ovf-store.ts'
import { createOverlayFile, createQcow2 } from './qemu-img.ts'

const vdsm = { user: 36, group: 36 }
// Real leases take 2 GiB and xleases 1 GiB, all holes; geo-replication would write them out as zeros.
const specialFiles = ['ids', 'leases', 'inbox', 'outbox', 'xleases']
const leaseBytes = 2 ** 20

/** A file storage domain as vdsm lays it out (format V5), rooted at `<mount>/<domain id>`. */
export class VdsmStorage {
  readonly root: string
  readonly domain: string

  constructor(mount: string, domain: string) {
    this.root = join(mount, domain)
    this.domain = domain
  }

  path({ image, volume }: VolumeRef): string {
    return join(this.root, 'images', image, volume)
  }

  async create(about: { pool: string; description: string; remotePath: string }): Promise<void> {
    await makeDirectory(join(this.root, 'dom_md'))
    await makeDirectory(join(this.root, 'images'))
    for (const name of specialFiles) {
      await makeFile(join(this.root, 'dom_md', name), 0o660, (file) => file.truncate(leaseBytes))
    }
    const text = formatDomainMetadata(domainMetadata({ id: this.domain, ...about }))
    await makeFile(join(this.root, 'dom_md', 'metadata'), 0o644, (file) => file.writeFile(text))
  }

  async createVolume(volume: NewVolume): Promise<void> {
    const description = JSON.stringify({ DiskAlias: volume.alias, DiskDescription: '' })
    const format = volume.format === 'cow' ? 'COW' : 'RAW'
    await this.#create(volume, { FORMAT: format, DESCRIPTION: description, DISKTYPE: 'DATA' })
  }

  async createOvfStore(volume: VolumeRef): Promise<void> {
    const description = ovfDescription({ domain: this.domain, lastUpdated: null })
    const about = { FORMAT: 'RAW', DESCRIPTION: description, DISKTYPE: 'OVFS' }
    await this.#create({ ...volume, sizeBytes: ovfStoreBytes }, about)
  }

  async writeOvfStore(volume: VolumeRef, content: OvfStoreContent): Promise<void> {
    const { domain } = this
    const before = await this.readMeta(volume)
    const outdated = ovfDescription({ domain, lastUpdated: lastUpdatedIn(before['DESCRIPTION'] ?? '') })
    await this.#changeMeta(volume, { DESCRIPTION: outdated })
    const tar = await ovfTar(content)
    await using file = await open(this.path(volume), 'r+')
    await file.write(tar, 0, tar.length, 0)
    await file.sync()
    const lastUpdated = javaDate(content.at)
    const updated = ovfDescription({ domain, lastUpdated, sizeBytes: tar.length })
    await this.#changeMeta(volume, { DESCRIPTION: updated })
  }

  async createOverlay({ image, base, overlay }: OverlayRef): Promise<void> {
    const parent = await this.readMeta({ image, volume: base })
    await this.#changeMeta({ image, volume: base }, { VOLTYPE: 'INTERNAL' })
    const path = this.path({ image, volume: overlay })
    await createOverlayFile(path, {
      base,
      baseFormat: parent['FORMAT'] === 'COW' ? 'qcow2' : 'raw',
      sizeBytes: Number(parent['CAP']),
    })
    await own(path, 0o660)
    const about = { FORMAT: 'COW', PUUID: base, SEQ: String(Number(parent['SEQ']) + 1), DESCRIPTION: '' }
    await this.#describe({ image, volume: overlay }, { ...parent, ...about })
  }

  /** Done again, it changes nothing. A child of the overlay, if any, becomes the base's. */
  async removeOverlay({ image, base, overlay }: OverlayRef): Promise<void> {
    const path = this.path({ image, volume: overlay })
    for (const file of [path, `${path}.lease`, `${path}.meta`]) await rm(file, { force: true })
    const child = await this.childOf({ image, volume: overlay })
    if (child) await this.#changeMeta({ image, volume: child }, { PUUID: base })
    else await this.#changeMeta({ image, volume: base }, { VOLTYPE: 'LEAF' })
  }

  async setLegality(volume: VolumeRef, legality: 'LEGAL' | 'ILLEGAL'): Promise<void> {
    await this.#changeMeta(volume, { LEGALITY: legality })
  }

  async removeImage(image: string): Promise<void> {
    await rm(join(this.root, 'images', image), { recursive: true, force: true })
  }

  /** The volume whose parent this one is. */
  async childOf({ image, volume }: VolumeRef): Promise<string | undefined> {
    for (const name of await readdir(join(this.root, 'images', image))) {
      if (!name.endsWith('.meta')) continue
      const other = { image, volume: name.slice(0, -'.meta'.length) }
      if ((await this.readMeta(other))['PUUID'] === volume) return other.volume
    }
    return undefined
  }

  async readMeta(volume: VolumeRef): Promise<VolumeMeta> {
    return parseMeta(await readFile(`${this.path(volume)}.meta`, 'utf8'))
  }

  async allocatedBytes(volume: VolumeRef): Promise<number> {
    const { blocks, size } = await stat(this.path(volume))
    // A Gluster client tells an open file's size at once, its blocks only later; a qcow2 file has next to no holes.
    return (await this.readMeta(volume))['FORMAT'] === 'COW' ? size : blocks * 512
  }

  async #create(
    volume: VolumeRef & { sizeBytes: number },
    about: { FORMAT: string; DESCRIPTION: string; DISKTYPE: string },
  ): Promise<void> {
    await makeDirectory(join(this.root, 'images', volume.image))
    const path = this.path(volume)
    if (about.FORMAT === 'COW') {
      await createQcow2(path, volume.sizeBytes)
      await own(path, 0o660)
    } else await makeFile(path, 0o660, (file) => file.truncate(volume.sizeBytes))
    await this.#describe(volume, { CAP: String(volume.sizeBytes), PUUID: noParent, ...about })
  }

  /** The lease and the `.meta` of a volume whose data is there; the `.meta` last, for it makes the volume exist. */
  async #describe(volume: VolumeRef, about: VolumeMeta): Promise<void> {
    const path = this.path(volume)
    await makeFile(`${path}.lease`, 0o660, (file) => file.truncate(leaseBytes))
    await this.#putMeta(volume, {
      ...about,
      CTIME: String(Math.floor(Date.now() / 1000)),
      DOMAIN: this.domain,
      GEN: '0',
      IMAGE: volume.image,
      LEGALITY: 'LEGAL',
      SEQ: about['SEQ'] ?? '1',
      TYPE: 'SPARSE',
      VOLTYPE: 'LEAF',
    })
  }

  async #changeMeta(volume: VolumeRef, changes: VolumeMeta): Promise<void> {
    await this.#putMeta(volume, { ...(await this.readMeta(volume)), ...changes })
  }

  /** As vdsm does it: a new file takes the name, so that every change gives the `.meta` another inode. */
  async #putMeta(volume: VolumeRef, meta: VolumeMeta): Promise<void> {
    const path = `${this.path(volume)}.meta`
    await rm(`${path}.new`, { force: true })
    await makeFile(`${path}.new`, 0o644, (file) => file.writeFile(formatMeta(meta)))
    await rename(`${path}.new`, path)
  }
}

async function makeDirectory(path: string): Promise<void> {
  await mkdir(path, { recursive: true })
  await own(path, 0o755)
}

async function makeFile(
  path: string,
  mode: number,
  fill: (file: FileHandle) => Promise<unknown>,
): Promise<void> {
  await using file = await open(path, 'wx', mode)
  await fill(file)
  await own(path, mode)
}

async function own(path: string, mode: number): Promise<void> {
  await chmod(path, mode)
  if (process.getuid?.() === 0) await chown(path, vdsm.user, vdsm.group)
}
