import { createHash } from 'node:crypto'
import { type FileHandle, mkdtempDisposable, open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import type { DiskSource } from './scan.ts'

/**
 * A disk's image as it lies on any file system; an open file can only be raw. A qcow2's backing chain is followed. `pieces`: the
 * root of a mount of a volume's pieces that the path is below.
 */
export type DiskImage =
  | { path: string; format: 'raw' | 'qcow2'; pieces?: string | undefined }
  | { handle: FileHandle; format?: 'raw' | undefined; pieces?: undefined }

/** Opens an image to be read as its guest sees it; what has to be closed and removed goes onto the stack. */
export async function openSource(disk: DiskImage, stack: AsyncDisposableStack): Promise<DiskSource> {
  if ('handle' in disk) return fileSource(disk.handle)
  if (disk.format === 'raw') {
    const first = stack.use(await open(disk.path))
    const shards = disk.pieces === undefined ? undefined : await shardsOf(disk.path)
    if (disk.pieces === undefined || shards === undefined) return fileSource(first)
    return shardedSource(fileSource(first), join(disk.pieces, '.shard'), shards, stack)
  }
  const directory = stack.use(await mkdtempDisposable(join(tmpdir(), 'prove-')))
  const raw = join(directory.path, 'raw')
  // -U: a running VM holds a lock on its chain, also on the frozen part.
  await execa('qemu-img', ['convert', '-U', '-f', 'qcow2', '-O', 'raw', disk.path, raw])
  return fileSource(stack.use(await open(raw)))
}

const digestBytes = 1024 * 1024

/** SHA-256 of an image as its guest sees it. */
export async function digestImage(disk: DiskImage): Promise<string> {
  await using stack = new AsyncDisposableStack()
  const source = await openSource(disk, stack)
  const hash = createHash('sha256')
  for (let at = 0; ; at += digestBytes) {
    const block = await source.read(at, digestBytes)
    hash.update(block)
    if (block.length < digestBytes) return hash.digest('hex')
  }
}

function fileSource(file: FileHandle): DiskSource {
  return {
    async read(offset, length) {
      const buffer = Buffer.allocUnsafe(length)
      let done = 0
      while (done < length) {
        const { bytesRead } = await file.read(buffer, done, length - done, offset + done)
        if (bytesRead === 0) break
        done += bytesRead
      }
      return buffer.subarray(0, done)
    },
  }
}

interface Shards {
  gfid: string
  shardBytes: number
  fileBytes: number
}

async function shardsOf(path: string): Promise<Shards | undefined> {
  const args = ['--absolute-names', '-d', '-e', 'hex', '-m', '^(trusted|glusterfs)', path]
  const [all, named] = await Promise.all([
    execa('getfattr', args),
    execa('getfattr', ['--absolute-names', '-n', 'glusterfs.gfid.string', path]),
  ])
  const numberOf = (name: string): number =>
    Number(`0x${new RegExp(`trusted\\.glusterfs\\.shard\\.${name}=0x([0-9a-f]{16})`).exec(all.stdout)?.[1]}`)
  const gfid = /glusterfs\.gfid\.string="([^"]+)"/.exec(named.stdout)?.[1]
  const shardBytes = numberOf('block-size')
  return Number.isNaN(shardBytes) || gfid === undefined
    ? undefined
    : { gfid, shardBytes, fileBytes: numberOf('file-size') }
}

/** Each piece is a file; one that is not there is a hole. */
function shardedSource(
  first: DiskSource,
  dir: string,
  { gfid, shardBytes, fileBytes }: Shards,
  stack: AsyncDisposableStack,
): DiskSource {
  const pieces = new Map<number, Promise<DiskSource | undefined>>([[0, Promise.resolve(first)]])
  const openPiece = async (index: number): Promise<DiskSource | undefined> => {
    const handle = await open(join(dir, `${gfid}.${index}`)).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined
      throw error
    })
    return handle === undefined ? undefined : fileSource(stack.use(handle))
  }
  const piece = (index: number): Promise<DiskSource | undefined> => {
    const known = pieces.get(index) ?? openPiece(index)
    pieces.set(index, known)
    return known
  }
  return {
    async read(offset, length) {
      const buffer = Buffer.alloc(Math.max(0, Math.min(length, fileBytes - offset)))
      for (let at = 0; at < buffer.length; ) {
        const within = (offset + at) % shardBytes
        const part = Math.min(shardBytes - within, buffer.length - at)
        const source = await piece(Math.floor((offset + at) / shardBytes))
        ;(await source?.read(within, part))?.copy(buffer, at)
        at += part
      }
      return buffer
    },
  }
}
