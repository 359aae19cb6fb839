import { mkdtempDisposable, open, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { encodeBlock, encodeHeader, type Found } from '../../src/lab/vms/block.ts'
import {
  blockBytes,
  firstWrites,
  type Geometry,
  geometryFor,
  placeOf,
  slotOf,
} from '../../src/lab/vms/geometry.ts'
import { judge, judgeCrashed } from '../../src/lab/vms/judge.ts'
import { describeVerdict, proveImages } from '../../src/lab/vms/prover.ts'
import type { DiskImage } from '../../src/lab/vms/source.ts'

const vm = '6f1c9a52-58f4-4b5e-9d3f-0a4c7a1d2e3f'
const diskBytes = 101 * blockBytes
const geometry = geometryFor(vm, [diskBytes, diskBytes], 1000)

let directory: Awaited<ReturnType<typeof mkdtempDisposable>>
beforeEach(async () => {
  directory = await mkdtempDisposable(join(tmpdir(), 'prover-'))
})
afterEach(() => directory.remove())

/** The disks of a VM after exactly n writes. */
function disksAfter(writes: number, of: Geometry = geometry): Buffer[] {
  const disks = Array.from({ length: of.disks }, (_, disk) => {
    const bytes = Buffer.alloc(diskBytes)
    encodeHeader(of, disk).copy(bytes)
    return bytes
  })
  for (let write = 1; write <= writes; write++) put(disks, write, slotOf(of, write), of)
  return disks
}

function put(disks: Buffer[], write: number, slot: number, of: Geometry = geometry): void {
  const { disk, offset } = placeOf(of, slot)
  encodeBlock(of.vm, write, slot).copy(disks[disk] ?? Buffer.alloc(0), offset)
}

async function saved(disks: Buffer[]): Promise<{ path: string; format: 'raw' }[]> {
  return Promise.all(
    disks.map(async (bytes, index) => {
      const path = join(directory.path, `disk${index}`)
      await writeFile(path, bytes)
      return { path, format: 'raw' }
    }),
  )
}

async function prove(disks: Buffer[], expectation?: { min?: number; max?: number }) {
  return proveImages(await saved(disks), expectation)
}

test.each([0, 1, 63, 200, 201, 1234])('disks after %i writes prove to be exactly that', async (writes) => {
  expect(await prove(disksAfter(writes))).toEqual({ verdict: 'exactly', n: writes })
})

test('the order in which disks are given does not matter', async () => {
  const images: DiskImage[] = (await saved(disksAfter(90))).reverse()
  expect(await proveImages(images)).toEqual({ verdict: 'exactly', n: 90 })
})

test('an open file can be proved', async () => {
  const [first, second] = await saved(disksAfter(90))
  await using handle = await open(first?.path ?? '')
  const images: DiskImage[] = second ? [{ handle }, second] : []
  expect(await proveImages(images)).toEqual({ verdict: 'exactly', n: 90 })
})

test('one flipped byte is found, with its place', async () => {
  const disks = disksAfter(150)
  const { disk, offset } = placeOf(geometry, slotOf(geometry, 42))
  disks[disk]?.writeUInt8(0xff, offset + 3000)
  const verdict = await prove(disks)
  const example = { disk, offset, expected: 42, found: 'garbage' }
  expect(verdict).toEqual({ verdict: 'torn', n: 150, wrong: 1, slots: 200, examples: [example] })
})

test('one stale block is found', async () => {
  const disks = disksAfter(350)
  put(disks, 120, slotOf(geometry, 320))
  expect(await prove(disks)).toMatchObject({
    verdict: 'torn',
    n: 350,
    wrong: 1,
    examples: [{ expected: 320, found: 120 }],
  })
})

test('one block that was never written is found', async () => {
  const disks = disksAfter(150)
  const { disk, offset } = placeOf(geometry, slotOf(geometry, 42))
  disks[disk]?.fill(0, offset, offset + blockBytes)
  expect(await prove(disks)).toMatchObject({
    verdict: 'torn',
    n: 150,
    wrong: 1,
    examples: [{ found: 'nothing' }],
  })
})

test('one block from the future is the only wrong one', async () => {
  const disks = disksAfter(150)
  put(disks, 190, slotOf(geometry, 190))
  expect(await prove(disks)).toMatchObject({
    verdict: 'torn',
    n: 150,
    wrong: 1,
    examples: [{ expected: 0, found: 190 }],
  })
})

test('two swapped slots are both found', async () => {
  const disks = disksAfter(150)
  const [one, two] = [placeOf(geometry, slotOf(geometry, 10)), placeOf(geometry, slotOf(geometry, 20))]
  const [from, to] = [disks[one.disk], disks[two.disk]]
  const kept = Buffer.from(from?.subarray(one.offset, one.offset + blockBytes) ?? [])
  to?.copy(from ?? kept, one.offset, two.offset, two.offset + blockBytes)
  kept.copy(to ?? kept, two.offset)
  expect(await prove(disks)).toMatchObject({ verdict: 'torn', n: 150, wrong: 2 })
})

test('disks of two moments are torn', async () => {
  const [first] = disksAfter(150)
  const [, second] = disksAfter(153)
  expect(await prove(first && second ? [first, second] : [])).toMatchObject({ verdict: 'torn' })
})

test('a whole state of another moment is not what was expected', async () => {
  expect(await prove(disksAfter(150), { min: 151, max: 160 })).toMatchObject({
    verdict: 'unexpected',
    n: 150,
  })
  expect(await prove(disksAfter(161), { max: 160 })).toMatchObject({ verdict: 'unexpected', n: 161 })
  expect(await prove(disksAfter(151), { min: 151, max: 151 })).toEqual({ verdict: 'exactly', n: 151 })
})

test('a missing disk, a disk given twice and disks of two VMs are unreadable', async () => {
  const other = geometryFor(vm.replace('6', '7'), [diskBytes, diskBytes], 1000)
  const [first, second] = disksAfter(9)
  const [, stranger] = disksAfter(9, other)
  if (!first || !second || !stranger) throw new Error('no disks')
  expect(await prove([first])).toMatchObject({
    verdict: 'unreadable',
    why: expect.stringContaining('2 disks'),
  })
  expect(await prove([first, first])).toMatchObject({ verdict: 'unreadable' })
  expect(await prove([first, stranger])).toMatchObject({
    verdict: 'unreadable',
    why: 'disks of different VMs',
  })
  expect(await prove([])).toMatchObject({ verdict: 'unreadable', why: 'no disks given' })
})

test('an empty, a cut and a missing image are unreadable', async () => {
  const images = await saved(disksAfter(9))
  const path = images[1]?.path ?? ''
  await truncate(path, diskBytes - 1)
  expect(await proveImages(images)).toMatchObject({
    verdict: 'unreadable',
    why: expect.stringContaining('shorter'),
  })
  await truncate(path, 0)
  expect(await proveImages(images)).toMatchObject({
    verdict: 'unreadable',
    why: expect.stringContaining('header'),
  })
  expect(await proveImages([{ path: `${path}-none`, format: 'raw' }])).toMatchObject({
    verdict: 'unreadable',
  })
})

test('each verdict is told in one line', async () => {
  const disks = disksAfter(150)
  expect(describeVerdict(await prove(disks))).toBe('exactly the state after write 150')
  expect(describeVerdict(await prove(disks, { min: 200 }))).toBe(
    'whole, but the state after write 150, expected 200 to any',
  )
  disks[0]?.fill(1, blockBytes, 2 * blockBytes)
  expect(describeVerdict(await prove(disks))).toBe(
    "torn: 1 of 200 blocks are not of write 150's state, as disk 0 at 4096: write 1 expected, garbage found",
  )
  expect(describeVerdict(await prove([]))).toBe('unreadable: no disks given')
})

/** What the slots hold after n writes, some of them lost. */
function slotsAfter(writes: number, lost: number[] = []): Found[] {
  const slots: Found[] = [...firstWrites(geometry)].map(() => 'nothing')
  for (let write = 1; write <= writes; write++)
    if (!lost.includes(write)) slots[slotOf(geometry, write)] = write
  return slots
}

test('a crash that lost writes of the last window is explained by it', () => {
  expect(judge(geometry, slotsAfter(180, [130, 150])).verdict).toBe('torn')
  expect(judgeCrashed(geometry, slotsAfter(180, [130, 150]), 64)).toEqual({ durable: 116, seen: 180 })
})

test('a lost write that was flushed is not explained by a crash', () => {
  expect(judgeCrashed(geometry, slotsAfter(180, [100]), 64)).toBeUndefined()
})

test('a blank disk beside those written, as one plugged later, is left out', async () => {
  const [first, second] = disksAfter(9)
  if (!first || !second) throw new Error('no disks')
  expect(await prove([first, Buffer.alloc(diskBytes), second])).toEqual({ verdict: 'exactly', n: 9 })
})

test('a disk of the VM that came out as zeros is unreadable', async () => {
  const [first] = disksAfter(9)
  if (!first) throw new Error('no disk')
  expect(await prove([first, Buffer.alloc(diskBytes)])).toMatchObject({
    verdict: 'unreadable',
    why: expect.stringContaining('2 disks'),
  })
})
