import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'

/** Opens a file for reading; a symbolic link throws, for vdsm makes none, and it could lead anywhere. */
export function openPlain(path: string): Promise<FileHandle> {
  return open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
}

/** At most that many bytes from the start of a file. Throws what the file system says. */
export async function readStart(path: string, mostBytes: number): Promise<Buffer> {
  await using file = await openPlain(path)
  return await readAt(file, 0, mostBytes)
}

/** The bytes from there on, fewer if the file ends before. */
export async function readAt(file: FileHandle, offset: number, mostBytes: number): Promise<Buffer> {
  const buffer = Buffer.alloc(mostBytes)
  let filled = 0
  while (filled < mostBytes) {
    const { bytesRead } = await file.read(buffer, filled, mostBytes - filled, offset + filled)
    if (bytesRead === 0) break
    filled += bytesRead
  }
  return buffer.subarray(0, filled)
}
