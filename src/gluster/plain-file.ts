import { type FileHandle, open } from 'node:fs/promises'
import type { VolumeFile } from '../model/replication.ts'

/** A file that is stored as one piece, read as it is. Throws what the file system says. */
export async function plainFile(path: string): Promise<VolumeFile> {
  const handle = await open(path, 'r')
  try {
    const { size, blocks, mtimeNs } = await handle.stat({ bigint: true })
    return {
      sizeBytes: Number(size),
      allocatedBytes: Number(blocks) * 512,
      lastWriteNs: mtimeNs,
      pieces: new Map(),
      read: (buffer, offset) => readFully(handle, buffer, offset),
      [Symbol.asyncDispose]: () => handle.close(),
    }
  } catch (error) {
    await handle.close()
    throw error
  }
}

/** Reads until the buffer is full or the file ends; returns how much was read. */
export async function readFully(handle: FileHandle, buffer: Buffer, offset: number): Promise<number> {
  let filled = 0
  while (filled < buffer.length) {
    const { bytesRead } = await handle.read(buffer, filled, buffer.length - filled, offset + filled)
    if (bytesRead === 0) break
    filled += bytesRead
  }
  return filled
}
