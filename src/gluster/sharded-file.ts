import { open, stat } from 'node:fs/promises'
import { join } from 'node:path'
import pLimit from 'p-limit'
import { Failure, isAbsent } from '../model/errors.ts'
import type { VolumeFile } from '../model/replication.ts'
import { openPieces } from './open-pieces.ts'
import { plainFile, readFully } from './plain-file.ts'
import { gfidsOf, shardingOf } from './xattrs.ts'

const looksAtOnce = 16
/** 16 TiB in the smallest shards that Gluster makes, 4 MiB. */
const mostPieces = 4 * 1024 ** 2

/** The pieces of a file below a mount as geo-replication (`--client-pid=-1`), where every piece is a file of its own. */
export interface Pieces {
  shardBytes: number
  sizeBytes: number
  /** Sizes of the pieces that exist, by path relative to the mount; a missing one is a hole. */
  sizes: Map<string, number>
  allocatedBytes: number
  lastWriteNs: bigint
  /** The path of the piece of that number. */
  pathOf(index: number): string
}

/** Looks at the pieces of a file; undefined when it is stored as one. Throws what the file system says. */
export async function piecesOf(raw: string, path: string, signal: AbortSignal): Promise<Pieces | undefined> {
  const sharding = await shardingOf(raw, path, signal)
  if (sharding === undefined) return undefined
  const gfid = (await gfidsOf(raw, [path], signal)).get(path)
  if (gfid === undefined) throw new Failure(`${path}: it is sharded, and its gfid cannot be read`)
  const { shardBytes, sizeBytes } = sharding
  const pathOf = (index: number): string => (index === 0 ? path : `.shard/${gfid}.${index}`)
  const limit = pLimit(looksAtOnce)
  const count = Math.max(1, Math.ceil(sizeBytes / shardBytes))
  if (!(count <= mostPieces)) {
    throw new Failure(`${path}: ${sizeBytes} bytes in shards of ${shardBytes} bytes are no disk`, {
      hint: 'compare the trusted.glusterfs.shard attributes of the file on the bricks with those of other files',
    })
  }
  const found = await Promise.all(
    Array.from({ length: count }, (_, index) =>
      limit(async () => {
        const seen = await stat(join(raw, pathOf(index)), { bigint: true }).catch(undefinedWhenAbsent)
        return seen === undefined ? [] : [{ piece: pathOf(index), ...seen }]
      }),
    ),
  )
  return {
    shardBytes,
    sizeBytes,
    sizes: new Map(found.flat().map(({ piece, size }) => [piece, Number(size)])),
    allocatedBytes: found.flat().reduce((sum, { blocks }) => sum + Number(blocks) * 512, 0),
    // The whole file's own time does not move when a shard is written (tried, 10.3).
    lastWriteNs: newestOf(found.flat()),
    pathOf,
  }
}

/**
 * Opens a file of a sharded volume by its pieces. A client like any other makes an empty shard for each hole that it reads, even
 * if it is mounted read-only; on the secondary that shard would be a stranger to geo-replication, and on a volume that is
 * read-only for others the read fails (tried, 10.3). Throws Failure when the pieces do not make up the file that such a client
 * sees at `dir`: then they are not all there is of it.
 */
export async function openSharded(
  { dir, raw }: { dir: string; raw: string },
  path: string,
  signal: AbortSignal,
): Promise<VolumeFile> {
  const [pieces, { size }] = await Promise.all([piecesOf(raw, path, signal), stat(join(dir, path))])
  const sizeBytes = pieces?.sizeBytes ?? (await stat(join(raw, path))).size
  if (sizeBytes !== size) {
    throw new Failure(`${path}: its pieces make up ${sizeBytes} bytes, and the volume shows ${size}`, {
      hint: 'reading trusted extended attributes needs root in the first user namespace, and every brick up',
    })
  }
  if (pieces === undefined) return plainFile(join(raw, path))
  const handles = openPieces(async (index) => {
    const piece = pieces.pathOf(index)
    return pieces.sizes.has(piece) ? open(join(raw, piece), 'r') : undefined
  })
  return {
    sizeBytes: pieces.sizeBytes,
    allocatedBytes: pieces.allocatedBytes,
    lastWriteNs: pieces.lastWriteNs,
    pieces: namedAlike(pieces),
    async read(buffer, offset) {
      const wanted = buffer.subarray(0, Math.max(0, Math.min(buffer.length, pieces.sizeBytes - offset)))
      for (let at = 0; at < wanted.length; ) {
        const index = Math.floor((offset + at) / pieces.shardBytes)
        const within = (offset + at) % pieces.shardBytes
        const part = wanted.subarray(at, Math.min(wanted.length, at + pieces.shardBytes - within))
        const filled = await handles.using(index, async (handle) =>
          handle === undefined ? 0 : readFully(handle, part, within),
        )
        // What a piece does not have reads as zeros.
        part.fill(0, filled)
        at += part.length
      }
      return wanted.length
    },
    [Symbol.asyncDispose]: () => handles[Symbol.asyncDispose](),
  }
}

/** By number, so that both ends name them alike; an empty piece is as good as none. */
function namedAlike({ sizes, sizeBytes, shardBytes, pathOf }: Pieces): ReadonlyMap<string, number> {
  const named = new Map<string, number>()
  for (let index = 0; index * shardBytes < sizeBytes; index += 1) {
    const size = sizes.get(pathOf(index)) ?? 0
    if (size > 0) named.set(`shard ${index}`, size)
  }
  return named
}

/** Empty ones do not count: a guest that reads a hole makes one. */
function newestOf(pieces: readonly { mtimeNs: bigint; size: bigint }[]): bigint {
  let newest = 0n
  for (const { mtimeNs, size } of pieces) if (size > 0n && mtimeNs > newest) newest = mtimeNs
  return newest
}

function undefinedWhenAbsent(error: unknown): undefined {
  if (isAbsent(error)) return undefined
  throw error
}
