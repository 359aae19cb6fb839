import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import pLimit from 'p-limit'
import type { DomainFacts, DomainFormat, ImageFacts, VmDocument } from '../model/domain.ts'
import { messageOf } from '../model/errors.ts'
import type { OpenVolume } from '../model/replication.ts'
import { oneLine } from '../model/shown.ts'
import { type ContentProof, digestFile, piecesDigest } from './content.ts'
import {
  type PointDisk,
  type PointVm,
  type PointVolume,
  type RecoveryPoint,
  sha256Of,
  unpackOvf,
} from './manifest.ts'
import type { Pace } from './pace.ts'
import { examineDomain, flawsOfImage, missingVolumes } from './sound.ts'

/** What became of a manifest's claim of one VM. `content`: how far its disks' content was compared when the point was made. */
export interface VmVerdict {
  id: string
  name: string
  verdict: 'proved' | 'refuted' | 'not claimed'
  content?: 'full' | 'samples' | 'none'
  why: string[]
  /** Disks that lie in the points of other volumes, and where: they were not looked at, and without them the VM is not whole. */
  elsewhere?: string[]
}

export interface Verification {
  run: string
  verdict: 'proved' | 'refuted'
  /** What speaks against the domain as a whole, and so against each VM. */
  flaws: string[]
  vms: VmVerdict[]
  bytesRead: number
}

/** Where to look, how, and who is told of the VMs that are done. */
export interface VerifyOptions {
  volume: { readonly dir: string; open: OpenVolume['open'] }
  format: DomainFormat
  parallel: number
  pace: Pace
  signal: AbortSignal
  /** False: only what can be told without reading the disks' content. */
  content: boolean
  told(vm: VmVerdict, done: number, of: number): void
}

/** Proves or refutes what a manifest claims, against the volume as it is now; only reads. Throws when it cannot be read at all. */
export async function verifyPoint(point: RecoveryPoint, options: VerifyOptions): Promise<Verification> {
  const { volume, format, signal } = options
  const root = volume.dir
  const { id } = point.domain
  const { facts, documents, ...found } = await examineDomain(format, root, id, signal)
  const flaws = [...found.flaws, ...found.flawsOfStores]

  const claimed = point.vms.filter((vm) => vm.state === 'protected').length
  const limit = pLimit(options.parallel)
  let bytesRead = 0
  let done = 0
  const judge = async (vm: PointVm): Promise<VmVerdict> => {
    const name = oneLine(vm.name)
    if (vm.state !== 'protected')
      return { id: vm.id, name, verdict: 'not claimed', why: [oneLine(vm.why ?? vm.state)] }
    const why = [
      ...flaws,
      ...vm.disks.flatMap((disk) => flawsOfDisk(disk, facts)),
      ...flawsOfDocument(vm, documents, facts),
    ]
    if (why.length === 0) {
      const read = await Promise.all(
        vm.disks.flatMap((disk) => contentsOf(disk)).map((one) => limit(() => readAgain(one))),
      )
      why.push(...read.flatMap((one) => one.why))
      bytesRead += read.reduce((sum, one) => sum + one.bytes, 0)
    }
    const verdict: VmVerdict = {
      id: vm.id,
      name,
      verdict: why.length === 0 ? 'proved' : 'refuted',
      content: contentOf(vm),
      why,
      ...elsewhereOf(vm),
    }
    options.told(verdict, ++done, claimed)
    return verdict
  }
  const contentsOf = (disk: PointDisk) => (disk.chain ?? []).map((one) => ({ disk, one }))
  const known = new Map<string, Promise<Read>>()
  const readAgain = async ({ disk, one }: { disk: PointDisk; one: PointVolume }): Promise<Read> => {
    if (one.content === undefined) return { bytes: 0, why: [] }
    const path = format.dataOf(id, { image: disk.id, volume: one.volume })
    const told = (why: string): string => `disk ${oneLine(disk.name)}, volume ${one.volume}: ${why}`
    try {
      // The volume of a template has a name in the image of every VM that was made from it: it is read once.
      const key = `${(await stat(join(root, path))).ino} ${JSON.stringify(one.content)}`
      const before = known.get(key)
      const read = before ?? contentAgain(path, one.content, options)
      known.set(key, read)
      const { bytes, why } = await read
      return { bytes: before === undefined ? bytes : 0, why: why.map(told) }
    } catch (error) {
      signal.throwIfAborted()
      return { bytes: 0, why: [told(`it cannot be read: ${messageOf(error)}`)] }
    }
  }

  const vms: VmVerdict[] = []
  for (const vm of point.vms) {
    signal.throwIfAborted()
    vms.push(await judge(vm))
  }
  const refuted = flaws.length > 0 || vms.some((vm) => vm.verdict === 'refuted')
  return { run: point.run, verdict: refuted ? 'refuted' : 'proved', flaws, vms, bytesRead }
}

interface Read {
  bytes: number
  why: string[]
}

/** Whether a file has the pieces and, unless that is not wanted, the content that was proved. */
async function contentAgain(path: string, proof: ContentProof, options: VerifyOptions): Promise<Read> {
  await using file = await options.volume.open(path, options.signal)
  if (piecesDigest(file) !== proof.pieces)
    return { bytes: 0, why: ['its shards are not those that were proved: some are lost or cut short'] }
  if (!options.content) return { bytes: 0, why: [] }
  const { bytes, sha256 } = await digestFile(file, proof, options.pace, options.signal)
  return { bytes, why: sha256 === proof.sha256 ? [] : ['its content is not what was proved'] }
}

function flawsOfDisk(disk: PointDisk, facts: DomainFacts): string[] {
  if (disk.chain === undefined) return []
  const image = facts.images.get(disk.id)
  const flaws = [
    ...flawsOfImage(image, facts),
    ...(image === undefined ? [] : differencesOf(disk.chain, image)),
  ]
  return flaws.map((flaw) => `disk ${oneLine(disk.name)}: ${flaw}`)
}

const compared = ['parent', 'role', 'format', 'capacityBytes', 'fileBytes'] as const

function differencesOf(chain: readonly PointVolume[], image: ImageFacts): string[] {
  const found = new Map(image.volumes.map((volume) => [volume.volume, volume]))
  const claimed = new Set(chain.map(({ volume }) => volume))
  const extra = image.volumes.filter(({ volume }) => !claimed.has(volume))
  return [
    ...chain.flatMap((volume) => {
      const now = found.get(volume.volume)
      if (now === undefined) return [`volume ${volume.volume} is not there`]
      return compared
        .filter((key) => now[key] !== volume[key])
        .map(
          (key) => `volume ${volume.volume}: ${key} is ${now[key] ?? 'none'}, was ${volume[key] ?? 'none'}`,
        )
    }),
    ...extra.map(({ volume }) => `volume ${volume} is no part of the recovery point`),
  ]
}

function flawsOfDocument(
  vm: PointVm,
  documents: ReadonlyMap<string, VmDocument>,
  facts: DomainFacts,
): string[] {
  if (vm.ovf === undefined) return ['the manifest has no document of it']
  try {
    unpackOvf(vm.ovf)
  } catch (error) {
    return [messageOf(error)]
  }
  const document = documents.get(vm.id)
  if (document === undefined) return ['the OVF_STORE has no document of it: it could not be registered']
  if (sha256Of(document.text) !== vm.ovf.sha256)
    return ['its document in the OVF_STORE is another one than was proved']
  const images = new Set(vm.disks.flatMap(({ id, chain }) => (chain === undefined ? [] : [id])))
  return missingVolumes(document, images, facts).map(
    (volume) => `its document names volume ${volume}, which is not there: it could not start`,
  )
}

function elsewhereOf({ disks }: PointVm): Pick<VmVerdict, 'elsewhere'> {
  const elsewhere = disks.flatMap(({ name, in: point }) =>
    point === undefined
      ? []
      : [
          `disk ${oneLine(name)}: ${oneLine(`${point.secondary.host}:${point.secondary.volume}`)}, run ${point.run}`,
        ],
  )
  return elsewhere.length === 0 ? {} : { elsewhere }
}

function contentOf(vm: PointVm): 'full' | 'samples' | 'none' {
  const kinds = vm.disks
    .flatMap((disk) => disk.chain ?? [])
    .map(({ content }): ContentProof['kind'] | 'none' => content?.kind ?? 'none')
  if (kinds.includes('none')) return 'none'
  return kinds.includes('samples') ? 'samples' : 'full'
}
