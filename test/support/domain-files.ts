import { createHash } from 'node:crypto'
import { link, mkdir, open, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { pack } from 'tar-stream'

/** Image and volume. */
export interface Place {
  image: string
  volume: string
}

export const noParent = '00000000-0000-0000-0000-000000000000'
export const capacity = 1024 * 1024

/** A UUID that is the same for the same number. */
export function idOf(number: number): string {
  return `${String(number).padStart(8, '0')}-aaaa-4bbb-8ccc-0123456789ab`
}

/** What `createDomain` writes: a raw disk, a chain of three, a template, a disk on it, two stores. */
export const domainId = idOf(1)
export const plain: Place = { image: idOf(10), volume: idOf(11) }
export const bottom: Place = { image: idOf(20), volume: idOf(21) }
export const middle: Place = { image: idOf(20), volume: idOf(22) }
export const top: Place = { image: idOf(20), volume: idOf(23) }
export const template: Place = { image: idOf(30), volume: idOf(31) }
export const derived: Place = { image: idOf(40), volume: idOf(41) }
export const stores: readonly [Place, Place] = [
  { image: idOf(50), volume: idOf(51) },
  { image: idOf(60), volume: idOf(61) },
]
export const vms = { web: idOf(70), db: idOf(71), golden: idOf(72) }

/**
 * A sound V5 file domain below `root`, and ways to change it. Two VMs (`web` on the plain disk and the chain, `db` on the disk
 * that stands on the template) and the template `golden` are in both stores; the second store is the newer one.
 */
export async function createDomain(root: string) {
  const files = domainFiles(root)
  await mkdir(join(root, domainId, 'dom_md'), { recursive: true })
  await files.writeMetadata({})
  for (const name of ['ids', 'inbox', 'leases', 'outbox'])
    await writeFile(join(root, domainId, 'dom_md', name), name)
  await files.addVolume(plain)
  await files.addVolume(bottom, { VOLTYPE: 'INTERNAL' })
  await files.addVolume(middle, { VOLTYPE: 'INTERNAL', PUUID: bottom.volume })
  await files.addVolume(top, { PUUID: middle.volume })
  await files.addVolume(template, { VOLTYPE: 'SHARED' })
  await files.addVolume(derived, { PUUID: template.volume })
  const shared = { image: derived.image, volume: template.volume }
  for (const suffix of ['', '.lease', '.meta'])
    await link(files.path(template) + suffix, files.path(shared) + suffix)
  const members = {
    'info.json': '{}',
    'metadata.json': JSON.stringify({ 'VM Status': { [vms.web]: 1 } }),
    [`${vms.web}.ovf`]: ovf('web', [plain, bottom, middle, top]),
    [`${vms.db}.ovf`]: ovf('db', [derived]),
    [`${vms.golden}.ovf`]: ovf('golden', [template]),
  }
  for (const [index, store] of stores.entries()) {
    await files.addVolume(store, { DISKTYPE: 'OVFS' })
    await files.fillStore(store, members, `Sat Nov 21 0${index}:17:45 UTC 2026`)
  }
  return files
}

function domainFiles(root: string) {
  const path = ({ image, volume }: Place) => join(root, domainId, 'images', image, volume)

  /** The values of a volume's `.meta`. */
  async function described(place: Place): Promise<Record<string, string>> {
    const lines = (await readFile(`${path(place)}.meta`, 'utf8')).split('\n').filter((line) => line !== 'EOF')
    return Object.fromEntries(lines.filter(Boolean).map((line) => split(line)))
  }

  /** Changes values of a `.meta`; `undefined` takes a key out. */
  async function redescribe(place: Place, changes: Record<string, string | undefined>): Promise<void> {
    const lines = linesOf({ ...(await described(place)), ...changes })
    await writeFile(`${path(place)}.meta`, `${[...lines, 'EOF'].join('\n')}\n`)
  }

  /** Data, lease and description: a raw top of its chain, or an overlay if it has a parent, unless the values say otherwise. */
  async function addVolume(place: Place, values: Record<string, string> = {}): Promise<void> {
    await mkdir(join(root, domainId, 'images', place.image), { recursive: true })
    const parent = values['PUUID']
    const format = values['FORMAT'] ?? (parent === undefined ? 'RAW' : 'COW')
    await using data = await open(path(place), 'wx')
    if (format === 'COW') await data.writeFile(qcow2({ backing: parent }))
    await data.truncate(format === 'COW' ? qcow2Bytes : capacity)
    await writeFile(`${path(place)}.lease`, 'lease')
    await writeFile(`${path(place)}.meta`, 'EOF\n')
    await redescribe(place, {
      CAP: String(capacity),
      CTIME: '1700000000',
      DESCRIPTION: '{"DiskAlias":"a","DiskDescription":"b"}',
      DISKTYPE: 'DATA',
      DOMAIN: domainId,
      FORMAT: format,
      GEN: '0',
      IMAGE: place.image,
      LEGALITY: 'LEGAL',
      PUUID: noParent,
      SEQ: '1',
      TYPE: 'SPARSE',
      VOLTYPE: 'LEAF',
      ...values,
    })
  }

  /** Writes `dom_md/metadata` with a right seal; `undefined` takes a key out. */
  async function writeMetadata(changes: Record<string, string | undefined>): Promise<void> {
    const lines = linesOf({
      ALIGNMENT: '1048576',
      BLOCK_SIZE: '512',
      CLASS: 'Data',
      DESCRIPTION: 'vmstore',
      POOL_UUID: idOf(2),
      ROLE: 'Regular',
      SDUUID: domainId,
      TYPE: 'GLUSTERFS',
      VERSION: '5',
      ...changes,
    })
    const seal = createHash('sha1').update(lines.join('')).digest('hex')
    await writeFile(
      join(root, domainId, 'dom_md', 'metadata'),
      `${[...lines, `_SHA_CKSUM=${seal}`].join('\n')}\n`,
    )
  }

  /** Puts a tar of the members into a store and vouches for it; `label` changes what the description says. */
  async function fillStore(
    place: Place,
    members: Record<string, string>,
    at: string,
    label: Record<string, unknown> = {},
  ): Promise<void> {
    const tar = pack()
    for (const [name, content] of Object.entries(members)) tar.entry({ name }, content)
    tar.finalize()
    const content = await buffer(tar)
    await using data = await open(path(place), 'r+')
    await data.writeFile(content)
    const description = {
      Updated: true,
      Size: content.length,
      'Last Updated': at,
      'Storage Domains': [{ uuid: domainId }],
      'Disk Description': 'OVF_STORE',
      ...label,
    }
    await redescribe(place, { DESCRIPTION: JSON.stringify(description) })
  }

  return { root, path, described, redescribe, addVolume, writeMetadata, fillStore }
}

function linesOf(values: Record<string, string | undefined>): string[] {
  return Object.keys(values)
    .filter((key) => values[key] !== undefined)
    .toSorted()
    .map((key) => `${key}=${values[key]}`)
}

function split(line: string): [string, string] {
  return [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]
}

const cluster = 65_536

/** Header, refcount table, refcount block, L1 table. */
export const qcow2Bytes = 4 * cluster

/** The start of an empty qcow2 file that is `qcow2Bytes` long; the rest is zeros. */
export function qcow2(about: { backing?: string | undefined; version?: number; features?: bigint }): Buffer {
  const { backing, version = 3, features = 0n } = about
  const file = Buffer.alloc(3 * cluster)
  file.write('QFI\xfb', 'latin1')
  file.writeUInt32BE(version, 4)
  file.writeUInt32BE(16, 20)
  file.writeBigUInt64BE(BigInt(capacity), 24)
  file.writeUInt32BE(1, 36)
  file.writeBigUInt64BE(BigInt(3 * cluster), 40)
  file.writeBigUInt64BE(BigInt(cluster), 48)
  file.writeUInt32BE(1, 56)
  if (version === 3) {
    file.writeBigUInt64BE(features, 72)
    file.writeUInt32BE(4, 96)
    file.writeUInt32BE(104, 100)
  }
  if (backing !== undefined) {
    file.writeBigUInt64BE(512n, 8)
    file.writeUInt32BE(backing.length, 16)
    file.write(backing, 512)
  }
  file.writeBigUInt64BE(BigInt(2 * cluster), cluster)
  for (const index of [0, 1, 2, 3]) file.writeUInt16BE(1, 2 * cluster + index * 2)
  return file
}

/** A VM's document as the engine shapes it; `snapshots` are documents kept within, in base64. */
export function ovf(name: string, volumes: readonly Place[], snapshots: readonly string[] = []): string {
  const file = (place: Place) => `<File ovf:href="${place.image}/${place.volume}" ovf:id="${place.volume}"/>`
  const disk = (place: Place) =>
    `<Disk ovf:diskId="${place.volume}" ovf:fileRef="${place.image}/${place.volume}"/>`
  const snapshot = (text: string) =>
    `<Snapshot><VmConfiguration>${Buffer.from(text).toString('base64')}</VmConfiguration></Snapshot>`
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<ovf:Envelope xmlns:ovf="http://schemas.dmtf.org/ovf/envelope/1/" ovf:version="4.4.0.0">',
    `<References>${volumes.map(file).join('')}</References>`,
    `<Section><Info>Virtual disks</Info>${volumes.map(disk).join('')}</Section>`,
    `<Content ovf:id="out"><Name>${name}</Name><Section>${snapshots.map(snapshot).join('')}</Section></Content>`,
    '</ovf:Envelope>',
  ].join('')
}
