import { createHash } from 'node:crypto'
import type { VolumeFile } from '../model/replication.ts'
import type { Pace } from './pace.ts'
import { readAhead } from './read-ahead.ts'

/** What is known of a file's content: the digest of all of it, or of samples at places that the seed decides. */
export type ContentProof = { pieces?: string | undefined } & (
  | { kind: 'full'; sha256: string }
  | { kind: 'samples'; sha256: string; seed: string; sampleBytes: number }
)

/** How much of a file to read: all of it, or its first and last block and one block in each of equal stretches. */
export type Reading = { kind: 'full' } | { kind: 'samples'; seed: string; sampleBytes: number }

/** The files hold the same as far as they were read, or where they do not. `bytes` were read of each. */
export type Comparison = { bytes: number } & ({ proof: ContentProof } | { difference: string })

const sampledBytes = 64 * 1024
const wholeBytes = 1024 * 1024

/** Compares a file with its copy while it digests them: sizes, pieces, content. Throws what the file system says. */
export async function compareFiles(
  [here, there]: readonly [VolumeFile, VolumeFile],
  reading: Reading,
  pace: Pace,
  signal: AbortSignal,
): Promise<Comparison> {
  if (here.sizeBytes !== there.sizeBytes) {
    return {
      bytes: 0,
      difference: `${here.sizeBytes} bytes on the primary, ${there.sizeBytes} on the secondary`,
    }
  }
  const difference = differenceOfPieces(here.pieces, there.pieces)
  if (difference !== undefined) return { bytes: 0, difference }
  const hash = createHash('sha256')
  let bytes = 0
  const places = placesIn(here.sizeBytes, reading)
  for await (const { offset, blocks } of readAhead([here, there], places, pace, signal)) {
    const [left, right] = blocks
    if (!left.equals(right)) {
      return { bytes, difference: `content differs at offset ${offset + firstDifference(left, right)}` }
    }
    hash.update(left)
    bytes += left.length
  }
  const pieces = piecesDigest(here)
  return {
    bytes,
    proof: { ...kindOf(reading), sha256: hash.digest('hex'), ...(pieces === undefined ? {} : { pieces }) },
  }
}

/** The digest of the names and sizes of a file's pieces; undefined where a file is one piece. */
export function piecesDigest({ pieces }: VolumeFile): string | undefined {
  if (pieces.size === 0) return undefined
  const lines = [...pieces].map(([name, bytes]) => `${name} ${bytes}\n`).toSorted()
  return createHash('sha256').update(lines.join('')).digest('hex')
}

/** The digest of a file as it was read for a proof of its content, to be compared with that proof's. */
export async function digestFile(
  file: VolumeFile,
  reading: Reading,
  pace: Pace,
  signal: AbortSignal,
): Promise<{ bytes: number; sha256: string }> {
  const hash = createHash('sha256')
  let bytes = 0
  const places = placesIn(file.sizeBytes, reading)
  for await (const { blocks } of readAhead([file], places, pace, signal)) {
    const [block] = blocks
    hash.update(block)
    bytes += block.length
  }
  return { bytes, sha256: hash.digest('hex') }
}

/** The places that a reading reads of a file of that size, in order. */
export function* placesIn(size: number, reading: Reading): Generator<{ offset: number; length: number }> {
  if (reading.kind === 'samples') {
    for (const offset of samplesOf(reading.seed, reading.sampleBytes, size)) {
      yield { offset, length: Math.min(sampledBytes, size - offset) }
    }
    return
  }
  for (let offset = 0; offset < size; offset += wholeBytes) {
    yield { offset, length: Math.min(wholeBytes, size - offset) }
  }
}

/** The first piece that is not as large in the copy; a lost or empty piece reads as zeros, and so might a good one. */
function differenceOfPieces(
  here: ReadonlyMap<string, number>,
  there: ReadonlyMap<string, number>,
): string | undefined {
  for (const name of new Set([...here.keys(), ...there.keys()])) {
    const [mine = 0, its = 0] = [here.get(name), there.get(name)]
    if (mine === its) continue
    // A shard that the primary has lost reads as zeros there: nothing to be sent, and the copy may be the better one.
    const which =
      mine === 0 ? 'nothing on the primary, whose own copy may be lost' : `${mine} bytes on the primary`
    return `${name}: ${which}, ${its} ${mine === 0 ? 'bytes ' : ''}on the secondary`
  }
  return undefined
}

function kindOf(reading: Reading): Reading {
  if (reading.kind === 'full') return { kind: 'full' }
  const { kind, seed, sampleBytes } = reading
  return { kind, seed, sampleBytes }
}

function samplesOf(seed: string, sampleBytes: number, size: number): number[] {
  const blocks = Math.ceil(size / sampledBytes)
  if (blocks === 0) return []
  const stretches = Math.max(1, Math.min(blocks, Math.floor(sampleBytes / sampledBytes)))
  const places = new Set([0, blocks - 1])
  for (let stretch = 0; stretch < stretches; stretch += 1) {
    const from = Math.floor((stretch * blocks) / stretches)
    const to = Math.floor(((stretch + 1) * blocks) / stretches)
    places.add(from + Math.floor(draw(seed, stretch) * (to - from)))
  }
  return [...places].sort((a, b) => a - b).map((block) => block * sampledBytes)
}

/** A number from 0 to less than 1 that the seed decides. */
function draw(seed: string, index: number): number {
  return createHash('sha256').update(`${seed} ${index}`).digest().readUInt32BE() / 2 ** 32
}

function firstDifference(one: Buffer, two: Buffer): number {
  const shorter = Math.min(one.length, two.length)
  for (let at = 0; at < shorter; at += 1) if (one[at] !== two[at]) return at
  return shorter
}
