import { access, readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import pLimit from 'p-limit'
import { capacityOf, flawsOfDomain, readVolumeMeta, type VolumeMeta } from './vdsm-meta.ts'
import { newestDocuments, type OvfDocument } from './vdsm-ovf.ts'

/** How vdsm would treat an image. */
export interface ImageJudgement {
  /** `prepareImage` of its leaf succeeds. */
  prepares: boolean
  /** The image lock finds a leaf: without it no snapshot, extension, copy or move. */
  snapshots: boolean
  why: string[]
}

export interface VmJudgement {
  name: string
  registers: boolean
  /** All volumes that its document names as active can be prepared and opened. */
  starts: boolean
  canSnapshot: boolean
  why: string[]
}

/** How an engine that imports the domain and its vdsm would fare; VMs by the newest readable OVF_STORE. */
export interface Judgement {
  importable: boolean
  why: string[]
  images: Map<string, ImageJudgement>
  vms: Map<string, VmJudgement>
}

interface Volume {
  id: string
  path: string
  meta: VolumeMeta | string
  /** Undefined: there is no data file. */
  sizeBytes: number | undefined
}

type Image = Map<string, Volume>

const zero = '00000000-0000-0000-0000-000000000000'
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
const atOnce = 8

/** Judges the storage domain below a mount, by the project's facts about oVirt (B2, B4, B5, B7) and by qemu-img. */
export async function judgeDomain(dir: string, domain: string): Promise<Judgement> {
  const root = join(dir, domain)
  const why = await flawsOfFrame(root, domain)
  const images = await readImages(join(root, 'images')).catch(() => {
    why.push('there is no directory images')
    return new Map<string, Image>()
  })
  const limit = pLimit(atOnce)
  const blocking = await limit.map([...images], ([id, image]) => flawsOfScan(domain, id, image))
  why.push(...blocking.flat())
  const importable = why.length === 0
  const stores = [...images.values()].flatMap((image) =>
    [...image.values()].flatMap(({ path, meta }) =>
      typeof meta !== 'string' && meta['DISKTYPE'] === 'OVFS' ? [{ path, meta }] : [],
    ),
  )
  const documents = await newestDocuments(stores)
  if (documents === undefined) why.push('no OVF_STORE is up to date and readable: no VM is known')
  const vms = await limit.map([...(documents ?? [])], async ([vm, document]) => {
    return [vm, await judgeVm(domain, images, document)] as const
  })
  const judged = [...images].map(([id, image]) => [id, judgeImage(image)] as const)
  return { importable, why, images: new Map(judged), vms: new Map(vms) }
}

async function flawsOfFrame(root: string, domain: string): Promise<string[]> {
  const metadata = await readFile(join(root, 'dom_md', 'metadata'), 'utf8').catch(() => undefined)
  if (metadata === undefined) return ['there is no dom_md/metadata']
  const missing: string[] = []
  for (const name of ['ids', 'leases', 'inbox', 'outbox']) {
    await access(join(root, 'dom_md', name)).catch(() => missing.push(`there is no dom_md/${name}`))
  }
  return [...flawsOfDomain(metadata, domain), ...missing]
}

async function readImages(dir: string): Promise<Map<string, Image>> {
  const ids = (await readdir(dir)).filter((name) => uuid.test(name))
  const limit = pLimit(atOnce)
  return new Map(await limit.map(ids, async (id) => [id, await readImage(join(dir, id))] as const))
}

/** Volumes are found by their `.meta`; data without one is invisible. */
async function readImage(dir: string): Promise<Image> {
  const names = (await readdir(dir)).filter((name) => name.endsWith('.meta'))
  const volumes = names.map(async (name): Promise<[string, Volume]> => {
    const id = name.slice(0, -'.meta'.length)
    const path = join(dir, id)
    const meta = await readFile(`${path}.meta`, 'utf8').then(readVolumeMeta, () => 'unreadable')
    const sizeBytes = await stat(path).then(
      ({ size }) => size,
      () => undefined,
    )
    return [id, { id, path, meta, sizeBytes }]
  })
  return new Map(await Promise.all(volumes))
}

/** The scan for unregistered disks on attach looks at images of exactly one volume; one that fails fails it all. */
async function flawsOfScan(domain: string, id: string, image: Image): Promise<string[]> {
  const [volume] = image.values()
  if (volume === undefined || image.size !== 1) return []
  const { meta } = volume
  const at = `image ${id}: `
  if (typeof meta === 'string') return [`${at}.meta of ${volume.id}: ${meta}`]
  if (volume.sizeBytes === undefined) return [`${at}volume ${volume.id} has no data file`]
  if (meta['DOMAIN'] !== domain) return [`${at}.meta of ${volume.id} is of domain ${meta['DOMAIN']}`]
  if (meta['IMAGE'] !== id) return [`${at}.meta of ${volume.id} is of image ${meta['IMAGE']}`]
  const unreadable = meta['FORMAT'] === 'COW' && (await infoOf(volume.path)) === undefined
  return unreadable ? [`${at}qemu-img cannot read volume ${volume.id}`] : []
}

function judgeImage(image: Image): ImageJudgement {
  const leaves = [...image.values()].filter((volume) => voltype(volume) === 'LEAF')
  const shared = image.size === 1 && [...image.values()].every((volume) => voltype(volume) === 'SHARED')
  const top = leaves[0] ?? topOf(image)
  const why = top ? flawsOfPreparing(image, top.id) : ['no volume is on top']
  const prepares = why.length === 0
  if (leaves.length === 0 && !shared) why.push('no leaf')
  if (leaves.length > 1) why.push(`${leaves.length} leaves`)
  return { prepares, snapshots: prepares && (leaves.length === 1 || shared), why }
}

function voltype({ meta }: Volume): string | undefined {
  return typeof meta === 'string' ? undefined : meta['VOLTYPE']
}

/** The volume that is nobody's parent. */
function topOf(image: Image): Volume | undefined {
  const parents = new Set([...image.values()].map(parentOf))
  return [...image.values()].find(({ id }) => !parents.has(id))
}

function parentOf({ meta }: Volume): string | undefined {
  return typeof meta === 'string' || meta['PUUID'] === zero ? undefined : meta['PUUID']
}

/** What `prepareImage` with this leaf would fail on: any volume that is not legal, and a chain that breaks off. */
function flawsOfPreparing(image: Image, leaf: string): string[] {
  if (!image.has(leaf)) return [`volume ${leaf} does not exist`]
  const flaws = [...image.values()].flatMap(({ id, meta }) => {
    if (typeof meta === 'string') return [`.meta of ${id}: ${meta}`]
    return meta['LEGALITY'] === 'LEGAL' ? [] : [`volume ${id} is ${meta['LEGALITY']}`]
  })
  const { volumes, missing } = chainOf(image, leaf)
  if (missing) flaws.push(missing)
  for (const { id, sizeBytes } of volumes) if (sizeBytes === undefined) flaws.push(`no data file ${id}`)
  return flaws
}

/** The volumes from a leaf down. */
function chainOf(image: Image, leaf: string): { volumes: Volume[]; missing?: string } {
  const volumes: Volume[] = []
  for (let id: string | undefined = leaf; id !== undefined; ) {
    const volume = image.get(id)
    if (volume === undefined) return { volumes, missing: `parent ${id} does not exist` }
    if (volumes.includes(volume)) return { volumes, missing: `${id} is its own ancestor` }
    volumes.push(volume)
    id = parentOf(volume)
  }
  return { volumes }
}

async function judgeVm(
  domain: string,
  images: ReadonlyMap<string, Image>,
  document: OvfDocument | string,
): Promise<VmJudgement> {
  if (typeof document === 'string') {
    return { name: '', registers: false, starts: false, canSnapshot: false, why: [document] }
  }
  // With partial import, disks of other domains are dropped.
  const disks = document.disks.filter((disk) => disk.domain === undefined || disk.domain === domain)
  const absent = disks.filter(({ image }) => !images.has(image)).map(({ image }) => `no image ${image}`)
  const flaws: string[] = []
  const noLeaf: string[] = []
  for (const { image: id, volume } of disks) {
    const image = images.get(id)
    if (image === undefined) continue
    flaws.push(...(await flawsOfStarting(image, volume)).map((flaw) => `image ${id}: ${flaw}`))
    const judged = judgeImage(image)
    // A new overlay goes over the leaf only: any other volume is refused.
    const leaf = image.get(volume)
    if (!judged.snapshots || leaf === undefined || voltype(leaf) !== 'LEAF')
      noLeaf.push(`image ${id}: ${volume} is not its leaf`)
  }
  const registers = absent.length === 0
  const starts = registers && flaws.length === 0
  const why = [...absent, ...flaws, ...noLeaf]
  return { name: document.name, registers, starts, canSnapshot: starts && noLeaf.length === 0, why }
}

async function flawsOfStarting(image: Image, leaf: string): Promise<string[]> {
  const flaws = flawsOfPreparing(image, leaf)
  if (flaws.length > 0) return flaws
  const opened = await Promise.all(chainOf(image, leaf).volumes.map(flawsOfOpening))
  return opened.flat()
}

/** What qemu would stumble over. */
async function flawsOfOpening({ id, path, meta, sizeBytes = 0 }: Volume): Promise<string[]> {
  if (typeof meta === 'string') return [meta]
  const capacity = capacityOf(meta)
  if (meta['FORMAT'] === 'RAW') {
    return sizeBytes < capacity ? [`${id} has ${sizeBytes} of ${capacity} bytes`] : []
  }
  const info = await infoOf(path)
  if (info === undefined) return [`qemu-img cannot read ${id}`]
  const backing = info.backing?.split('/').at(-1)
  const parent = meta['PUUID'] === zero ? undefined : meta['PUUID']
  if (backing !== parent)
    return [`${id} is over ${backing ?? 'nothing'}, its .meta says ${parent ?? 'nothing'}`]
  // 3: leaked clusters, which harm nobody.
  const { exitCode } = await execa('qemu-img', ['check', '-U', '-f', 'qcow2', path], { reject: false })
  return exitCode === 0 || exitCode === 3 ? [] : [`qemu-img check of ${id} ends with ${exitCode}`]
}

async function infoOf(path: string): Promise<{ backing: string | undefined } | undefined> {
  const args = ['info', '-U', '-f', 'qcow2', '--output=json', path]
  const { stdout, exitCode } = await execa('qemu-img', args, { reject: false })
  if (exitCode !== 0) return undefined
  return { backing: (JSON.parse(stdout) as Record<string, string>)['backing-filename'] }
}
