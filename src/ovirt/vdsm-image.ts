import { lstat, readdir } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { ImageFacts, VolumeFacts } from '../model/domain.ts'
import { Failure, isAbsent, messageOf } from '../model/errors.ts'
import { uuid } from '../model/names.ts'
import { shown } from '../model/shown.ts'
import { chainOf } from './chain.ts'
import { readQcow2Header } from './qcow2-header.ts'
import { openPlain, readStart } from './read-start.ts'
import { type Described, describedIn } from './vdsm-meta.ts'

const suffix = '.meta'
/** vdsm writes 512 bytes at most. */
export const longestMeta = 8192

interface Volume extends Described {
  fileBytes: number
}

/** What was found of one volume; without `volume` its description could not be read. */
interface Looked {
  volume?: Volume
  flaws: string[]
  /** Neither vdsm nor qemu-img could tell what it is. */
  unreadable: boolean
}

/** Of the names in an image's directory, the volumes that vdsm sees there: it knows a volume by its `.meta` (fileSD.getAllVolumes). */
export function describedAmong(names: readonly string[]): string[] {
  return names
    .filter((name) => name.endsWith(suffix))
    .map((name) => name.slice(0, -suffix.length))
    .filter((name) => uuid.test(name))
}

/** Looks at one image directory. Throws what the file system says when the directory cannot be read. */
export async function examineImage(dir: string, domain: string, image: string): Promise<ImageFacts> {
  const names = await readdir(dir)
  const looked = await Promise.all(
    describedAmong(names).map((volume) => lookAt(join(dir, volume), { domain, image, volume })),
  )
  const volumes = looked.flatMap(({ volume }) => volume ?? [])
  const chain = chainOf(image, volumes)
  const flaws = looked.flatMap((one) => one.flaws)
  // Without its description a volume has no place in the chain: what is said of the rest would mislead.
  if (volumes.length === looked.length) flaws.push(...chain.flaws)
  flaws.push(...flawsOfHidden(names, volumes))
  if (looked.length === 0) flaws.push('it has no volume')
  return {
    image,
    isOvfStore: volumes.some(({ isOvfStore }) => isOvfStore),
    volumes: chain.volumes.map(factsOf),
    flaws,
    // With more volumes than one the engine takes the image for part of a VM and does not look into it (GetUnregisteredDisks).
    blocksImport: looked.length === 1 && looked.some(({ unreadable }) => unreadable),
  }
}

function factsOf({ legality: _, isOvfStore: __, ...facts }: Volume): VolumeFacts {
  return facts
}

/** Data without a description is nobody's business unless a volume stands on it. */
function flawsOfHidden(names: readonly string[], volumes: readonly Volume[]): string[] {
  const parents = new Set(volumes.flatMap(({ parent }) => parent ?? []))
  return [...parents]
    .filter((parent) => names.includes(parent) && !names.includes(`${parent}${suffix}`))
    .map((parent) => `volume ${parent} has data and no description`)
}

async function lookAt(file: string, at: { domain: string; image: string; volume: string }): Promise<Looked> {
  let described: Described
  try {
    described = describedIn((await readStart(`${file}${suffix}`, longestMeta)).toString('latin1'), at)
  } catch (error) {
    return { flaws: [`the description of volume ${at.volume}: ${messageOf(error)}`], unreadable: true }
  }
  const volume = { ...described, fileBytes: 0 }
  const flaws = described.legal ? [] : [`volume ${at.volume} is ${described.legality}`]
  try {
    volume.fileBytes = await bytesOf(file)
    const flaw = volume.format === 'raw' ? flawOfRaw(volume) : await flawOfCow(file, volume)
    if (flaw !== undefined) flaws.push(flaw)
    return { volume, flaws, unreadable: false }
  } catch (error) {
    flaws.push(`the data of volume ${at.volume}: ${messageOf(error)}`)
    return { volume, flaws, unreadable: true }
  }
}

async function bytesOf(file: string): Promise<number> {
  const found = await lstat(file).catch((cause: unknown) => {
    throw isAbsent(cause) ? new Failure('it is missing', { cause }) : cause
  })
  if (!found.isFile()) throw new Failure('it is no plain file')
  return found.size
}

/** A raw disk that was extended while its VM ran may be longer than its description says. */
function flawOfRaw({ volume, capacityBytes, fileBytes }: Volume): string | undefined {
  return fileBytes < capacityBytes
    ? `volume ${volume} has ${fileBytes} bytes, its capacity is ${capacityBytes}`
    : undefined
}

/** Throws when the header cannot be read. */
async function flawOfCow(file: string, { volume, parent, fileBytes }: Volume): Promise<string | undefined> {
  await using handle = await openPlain(file)
  const { backing, leastFileBytes } = await readQcow2Header(handle)
  if (fileBytes < leastFileBytes)
    return `volume ${volume} has ${fileBytes} bytes, its tables end at ${leastFileBytes}`
  const named = backing === undefined ? undefined : basename(backing)
  if (named === parent) return undefined
  if (parent === undefined)
    return `the backing file of volume ${volume} is ${shown(backing ?? '', 200)}, and it has no parent`
  if (backing === undefined) return `volume ${volume} has no backing file, its parent is ${parent}`
  return `the backing file of volume ${volume} is ${shown(backing, 200)}, not its parent ${parent}`
}
