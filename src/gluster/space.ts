import { statfs } from 'node:fs/promises'
import type { Space } from '../model/replication.ts'

/** Room on the file system that a directory lies on. */
export async function spaceAt(dir: string): Promise<Space> {
  const { bavail, blocks, bsize } = await statfs(dir)
  return { freeBytes: bavail * bsize, sizeBytes: blocks * bsize }
}
