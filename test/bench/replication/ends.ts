import { createHash, randomBytes, randomInt } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, mkdtemp, open, rm, rmdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { execa } from 'execa'

const mib = 1024 * 1024
const blockBytes = 64 * 1024

/** A volume of the lab, mounted here; disposing unmounts it. */
export interface Mounted extends AsyncDisposable {
  dir: string
}

/** Mounts a volume without caches of the kernel, as somebody who looks at both ends would. */
export async function mountVolume(host: string, volume: string, ...options: string[]): Promise<Mounted> {
  const dir = await mkdtemp(join(tmpdir(), 'bench-mount-'))
  const from = [`--volfile-server=${host}`, `--volfile-id=${volume}`]
  const uncached = ['--direct-io-mode=enable', '--attribute-timeout=0', '--entry-timeout=0']
  await execa('glusterfs', [...from, ...uncached, ...options, dir])
  return {
    dir,
    async [Symbol.asyncDispose]() {
      await execa('umount', [dir])
      await rmdir(dir)
    },
  }
}

/** Writes a file of random bytes that is none of those before, and waits until it is stored. */
export async function writeNew(file: string, mebibytes: number): Promise<void> {
  await mkdir(join(file, '..'), { recursive: true })
  await rm(file, { force: true })
  await using handle = await open(file, 'wx')
  for (let at = 0; at < mebibytes; at += 1) await handle.write(randomBytes(mib))
  await handle.sync()
}

/** Writes random bytes over so much of a file, in blocks that lie anywhere in it; returns how many bytes that were. */
export async function changeBlocks(file: string, share: number): Promise<number> {
  await using handle = await open(file, 'r+')
  const { size } = await handle.stat()
  const blocks = Math.floor(size / blockBytes)
  const chosen = new Set<number>()
  while (chosen.size < Math.round(blocks * share)) chosen.add(randomInt(blocks))
  for (const block of chosen) await handle.write(randomBytes(blockBytes), 0, blockBytes, block * blockBytes)
  await handle.sync()
  return chosen.size * blockBytes
}

/** SHA-256 of a whole file, in hex. */
export async function digestOf(file: string): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(file, { highWaterMark: mib }), hash)
  return hash.digest('hex')
}
