import type { FileHandle } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { openPieces } from '../../src/gluster/open-pieces.ts'

/** Pieces that are all there but for holes at every tenth number; what is opened and closed is written down. */
function aFileInPieces() {
  const opened: number[] = []
  const open = new Set<number>()
  const faults = { failing: false }
  const pieces = openPieces(async (index) => {
    await new Promise(setImmediate)
    if (faults.failing) throw new Error('EIO')
    if (index % 10 === 9) return undefined
    opened.push(index)
    open.add(index)
    const close = async () => {
      open.delete(index)
    }
    return { fd: index, close } as FileHandle
  })
  return { pieces, opened, open, faults }
}

test('a piece is opened once however often it is read, in parts and at the same time', async () => {
  const { pieces, opened } = aFileInPieces()
  const parts = Array.from({ length: 64 }, (_, part) => Math.floor(part / 16))
  const read = await Promise.all(parts.map((index) => pieces.using(index, async (handle) => handle?.fd)))
  expect(read).toEqual(parts)
  expect(opened).toEqual([0, 1, 2, 3])
})

test('few are open at a time, none twice in a reading from start to end, and none in the end', async () => {
  const { pieces, opened, open } = aFileInPieces()
  for (let index = 0; index < 100; index += 1) {
    await pieces.using(index, async () => expect(open.size).toBeLessThanOrEqual(9))
  }
  expect(opened).toHaveLength(90)
  await pieces[Symbol.asyncDispose]()
  expect(open.size).toBe(0)
})

test('none is closed while it is read', async () => {
  const { pieces, open } = aFileInPieces()
  const gate = Promise.withResolvers<void>()
  const slow = pieces.using(0, () => gate.promise.then(() => expect(open.has(0)).toBe(true)))
  for (let index = 1; index < 40; index += 1) await pieces.using(index, async () => undefined)
  gate.resolve()
  await slow
})

test('a hole is given as undefined', async () => {
  const { pieces } = aFileInPieces()
  expect(await pieces.using(9, async (handle) => handle)).toBeUndefined()
})

test('a piece that could not be opened is tried again', async () => {
  const { pieces, faults, opened } = aFileInPieces()
  faults.failing = true
  await expect(pieces.using(1, async () => undefined)).rejects.toThrow('EIO')
  faults.failing = false
  expect(await pieces.using(1, async (handle) => handle?.fd)).toBe(1)
  expect(opened).toEqual([1])
  await pieces[Symbol.asyncDispose]()
})
