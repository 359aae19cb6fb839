import { expect, test } from 'vitest'
import type { VolumeFile } from '../../src/model/replication.ts'
import { compareFiles, digestFile, placesIn } from '../../src/point/content.ts'
import { type Pace, paceOf } from '../../src/point/pace.ts'
import { readAhead } from '../../src/point/read-ahead.ts'
import { fakeClock } from '../support/stage.ts'

const mib = 1024 * 1024
const { signal } = new AbortController()
const unpaced = paceOf(undefined, fakeClock())

/** A file that writes down what is read of it; each read takes a turn of the event loop, or fails. */
function aWatchedFile(sizeBytes: number, fails: (offset: number) => boolean = () => false) {
  const seen = { bytes: 0, reads: 0, underWay: 0, mostUnderWay: 0 }
  const file: VolumeFile = {
    sizeBytes,
    allocatedBytes: sizeBytes,
    lastWriteNs: 0n,
    pieces: new Map(),
    async read(buffer, offset) {
      seen.reads += 1
      seen.underWay += 1
      seen.mostUnderWay = Math.max(seen.mostUnderWay, seen.underWay)
      await new Promise(setImmediate)
      seen.underWay -= 1
      if (fails(offset)) throw new Error(`EIO at ${offset}`)
      const length = Math.max(0, Math.min(buffer.length, sizeBytes - offset))
      buffer.fill(Math.floor(offset / mib) % 256, 0, length)
      seen.bytes += length
      return length
    },
    [Symbol.asyncDispose]: async () => undefined,
  }
  return { file, seen }
}

const full = { kind: 'full' } as const

test('a full comparison reads every byte once at each end, two places at a time and never more', async () => {
  const size = 20 * mib + 17
  const [here, there] = [aWatchedFile(size), aWatchedFile(size)]
  await compareFiles([here.file, there.file], full, unpaced, signal)
  for (const { seen } of [here, there]) {
    expect(seen).toEqual({ bytes: size, reads: 21, underWay: 0, mostUnderWay: 2 })
  }
})

test('a quick comparison of 1 TiB reads no more than its samples and two blocks, at each end', async () => {
  const samples = { kind: 'samples', seed: 'seed', sampleBytes: 8 * mib } as const
  const [here, there] = [aWatchedFile(1024 ** 4), aWatchedFile(1024 ** 4)]
  await compareFiles([here.file, there.file], samples, unpaced, signal)
  for (const { seen } of [here, there]) {
    expect(seen.bytes).toBeLessThanOrEqual(8 * mib + 2 * 65_536)
    expect(seen.reads).toBeLessThanOrEqual(130)
  }
})

test('a digest reads every byte once', async () => {
  const { file, seen } = aWatchedFile(5 * mib)
  await digestFile(file, full, unpaced, signal)
  expect(seen).toMatchObject({ bytes: 5 * mib, reads: 5 })
})

test('a difference ends the reading, no more than what was read ahead after it', async () => {
  const [here, there] = [aWatchedFile(50 * mib), aWatchedFile(50 * mib)]
  const other = { ...there.file, read: async (buffer: Buffer) => buffer.fill(255).length }
  const found = await compareFiles([here.file, other], full, unpaced, signal)
  expect(found).toEqual({ bytes: 0, difference: 'content differs at offset 0' })
  expect(here.seen).toMatchObject({ reads: 2, underWay: 0 })
})

test('what one end cannot read ends the reading when nothing is under way any more', async () => {
  const [here, there] = [aWatchedFile(9 * mib), aWatchedFile(9 * mib, (offset) => offset === 4 * mib)]
  const compared = compareFiles([here.file, there.file], full, unpaced, signal)
  await expect(compared).rejects.toThrow(`EIO at ${4 * mib}`)
  expect([here.seen.underWay, there.seen.underWay]).toEqual([0, 0])
  expect(here.seen.reads).toBeLessThanOrEqual(6)
})

test('places come in their order with what stands there, however long each read takes', async () => {
  const { file } = aWatchedFile(7 * mib)
  const slowest = { ...file }
  slowest.read = async (buffer, offset) => {
    for (let turn = offset / mib; turn < 7; turn += 1) await new Promise(setImmediate)
    return file.read(buffer, offset)
  }
  const seen: number[][] = []
  for await (const { offset, blocks } of readAhead([slowest], placesIn(7 * mib, full), unpaced, signal)) {
    seen.push([offset / mib, blocks[0][0] ?? -1, blocks[0].length])
  }
  expect(seen).toEqual([0, 1, 2, 3, 4, 5, 6].map((place) => [place, place, mib]))
})

test('every place is paid for before it is read, and who waits for that is let go in the end', async () => {
  let free = 3
  const pace: Pace = {
    async take(_bytes, asked) {
      free -= 1
      if (free >= 0) return
      await new Promise((_resolve, reject) => asked.addEventListener('abort', () => reject(asked.reason)))
    },
  }
  const { file, seen } = aWatchedFile(9 * mib)
  const reading = readAhead([file], placesIn(9 * mib, full), pace, signal)
  for (let place = 0; place < 2; place += 1) await reading.next()
  await reading.return(undefined)
  expect(seen).toMatchObject({ reads: 3, underWay: 0 })
})
