import { truncateSync, writeFileSync } from 'node:fs'
import { open as openFile } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { plainFile } from '../../src/gluster/plain-file.ts'
import type { VolumeFile } from '../../src/model/replication.ts'
import { compareFiles, digestFile, type Reading } from '../../src/point/content.ts'
import { paceOf } from '../../src/point/pace.ts'
import { aFolder } from '../run/a-folder.ts'
import { fakeClock } from '../support/stage.ts'

const { signal } = new AbortController()
const pace = paceOf(undefined, fakeClock())
const samples: Reading = { kind: 'samples', seed: 'seed', sampleBytes: 1024 * 1024 }

/** A file in memory; the byte at each of `flipped` is another. */
function aFile(sizeBytes: number, flipped: number[] = [], pieces: [string, number][] = []): VolumeFile {
  return {
    sizeBytes,
    allocatedBytes: sizeBytes,
    lastWriteNs: 0n,
    pieces: new Map(pieces),
    async read(buffer, offset) {
      const length = Math.max(0, Math.min(buffer.length, sizeBytes - offset))
      buffer.fill(7, 0, length)
      for (const at of flipped) if (at >= offset && at < offset + length) buffer[at - offset] = 255
      return length
    },
    [Symbol.asyncDispose]: async () => undefined,
  }
}

describe('comparing every byte', () => {
  test('finds any one flipped byte, and tells its offset', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 3_000_000 }), fc.nat(), async (size, place) => {
        const at = place % size
        const found = await compareFiles([aFile(size), aFile(size, [at])], { kind: 'full' }, pace, signal)
        expect(found).toMatchObject({ difference: `content differs at offset ${at}` })
      }),
      { numRuns: 25 },
    )
  })

  test('gives the digest of the file', async () => {
    const found = await compareFiles([aFile(2_500_000), aFile(2_500_000)], { kind: 'full' }, pace, signal)
    const { sha256, bytes } = await digestFile(aFile(2_500_000), { kind: 'full' }, pace, signal)
    expect(found).toEqual({ bytes: 2_500_000, proof: { kind: 'full', sha256 } })
    expect(bytes).toBe(2_500_000)
  })

  test('finds one flipped byte in a sparse image of 1 GiB', async () => {
    const dir = aFolder()
    const size = 1024 ** 3
    const at = 777_777_777
    const open = async (name: string) => {
      writeFileSync(join(dir, name), '')
      truncateSync(join(dir, name), size)
      return plainFile(join(dir, name))
    }
    await using here = await open('here')
    await using there = await open('there')
    await using file = await openFile(join(dir, 'there'), 'r+')
    await file.write(Buffer.from([1]), 0, 1, at)
    expect(await compareFiles([here, there], { kind: 'full' }, pace, signal)).toMatchObject({
      difference: `content differs at offset ${at}`,
    })
  })
})

describe('comparing samples', () => {
  test('reads about as much as it may, and no more', async () => {
    const found = await compareFiles([aFile(1e9), aFile(1e9)], samples, pace, signal)
    expect(found.bytes).toBeGreaterThan(1024 * 1024 - 65_536)
    expect(found.bytes).toBeLessThanOrEqual(1024 * 1024 + 2 * 65_536)
  })

  test('finds one damaged block of many with the probability that the sampled share promises', async () => {
    const [blocks, tries] = [256, 400]
    const size = blocks * 65_536
    const reading = (seed: number): Reading => ({
      kind: 'samples',
      seed: String(seed),
      sampleBytes: 32 * 65_536,
    })
    let found = 0
    for (let seed = 0; seed < tries; seed += 1) {
      const block = (seed * 7919) % blocks
      const flipped = [block * 65_536 + 100]
      const compared = await compareFiles([aFile(size), aFile(size, flipped)], reading(seed), pace, signal)
      if ('difference' in compared) found += 1
    }
    // 32 of 256 blocks are read, and the first and the last: p = 0.13; 400 tries give 52 +- 4 sigma of 7.
    expect(found).toBeGreaterThan(52 - 28)
    expect(found).toBeLessThan(52 + 28)
  })
})

test('files of different length differ without being read', async () => {
  expect(await compareFiles([aFile(10), aFile(9)], { kind: 'full' }, pace, signal)).toEqual({
    bytes: 0,
    difference: '10 bytes on the primary, 9 on the secondary',
  })
})

test.each<[string, [string, number][], [string, number][], string]>([
  ['lost', [['shard 1', 4]], [], 'shard 1: 4 bytes on the primary, 0 on the secondary'],
  ['cut short', [['shard 1', 4]], [['shard 1', 3]], 'shard 1: 4 bytes on the primary, 3 on the secondary'],
  [
    'too many',
    [],
    [['shard 2', 4]],
    'shard 2: nothing on the primary, whose own copy may be lost, 4 bytes on the secondary',
  ],
])(
  'a shard that is %s is a difference even where its content would read alike',
  async (_what, here, there, difference) => {
    const found = await compareFiles(
      [aFile(10, [], here), aFile(10, [], there)],
      { kind: 'full' },
      pace,
      signal,
    )
    expect(found).toEqual({ bytes: 0, difference })
  },
)

test('an aborted comparison ends with the reason', async () => {
  const aborted = AbortSignal.abort(new Error('enough'))
  const compared = compareFiles([aFile(10), aFile(10)], { kind: 'full' }, pace, aborted)
  await expect(compared).rejects.toThrow('enough')
})
