import type { VolumeFile } from '../model/replication.ts'
import type { Pace } from './pace.ts'

/** So many places of each file are read at the same time; with two files that keeps all four of Node's threads for files busy. */
const placesAtOnce = 2

/** What stands at a place of each file, in the order of the files; shorter where a file ends. */
interface Read<Blocks> {
  offset: number
  blocks: Blocks
}

type BlocksOf<Files extends readonly VolumeFile[]> = { [K in keyof Files]: Buffer }

interface Slot<Blocks> {
  buffers: Buffer[]
  read: Promise<Read<Blocks>>
}

/**
 * Reads places of files in their order, of all files at once, the next place while one is looked at. The blocks are
 * overwritten as soon as the next are asked for. When it ends, however it does, no read is under way any more.
 */
export async function* readAhead<const Files extends readonly VolumeFile[]>(
  files: Files,
  places: Iterator<{ offset: number; length: number }>,
  pace: Pace,
  signal: AbortSignal,
): AsyncGenerator<Read<BlocksOf<Files>>> {
  const ending = new AbortController()
  const either = AbortSignal.any([signal, ending.signal])
  const underWay: Slot<BlocksOf<Files>>[] = []

  const begin = (buffers: Buffer[]): void => {
    const { value: place, done } = places.next()
    if (done === true) return
    const read = readPlace(files, buffers, place, pace, either)
    // Who waits for an earlier place is not there yet to hear of it.
    read.catch(() => undefined)
    underWay.push({ buffers, read })
  }

  try {
    for (let slot = 0; slot < placesAtOnce; slot += 1) begin([])
    for (let slot = underWay.shift(); slot !== undefined; slot = underWay.shift()) {
      yield await slot.read
      begin(slot.buffers)
    }
  } finally {
    ending.abort()
    // The files are closed next.
    await Promise.allSettled(underWay.map(({ read }) => read))
  }
}

/** `buffers` has one for each file, made when it is missing or too small. */
async function readPlace<Files extends readonly VolumeFile[]>(
  files: Files,
  buffers: Buffer[],
  { offset, length }: { offset: number; length: number },
  pace: Pace,
  signal: AbortSignal,
): Promise<Read<BlocksOf<Files>>> {
  await pace.take(length, signal)
  const reads = files.map(async (file, index) => {
    const known = buffers[index]
    const buffer = known !== undefined && known.length >= length ? known : Buffer.allocUnsafeSlow(length)
    buffers[index] = buffer
    const block = buffer.subarray(0, length)
    return block.subarray(0, await file.read(block, offset))
  })
  // None is left under way when another one fails.
  await Promise.allSettled(reads)
  return { offset, blocks: (await Promise.all(reads)) as BlocksOf<Files> }
}
