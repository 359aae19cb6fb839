import { assert as check, integer, property } from 'fast-check'
import { expect, test } from 'vitest'
import { decodeBlock, decodeHeader, encodeBlock, encodeHeader } from '../../src/lab/vms/block.ts'
import { blockBytes, firstWrites, geometryFor, placeOf, slotOf } from '../../src/lab/vms/geometry.ts'

const vm = '6f1c9a52-58f4-4b5e-9d3f-0a4c7a1d2e3f'

test('every slot is written once before any is written twice', () => {
  check(
    property(integer({ min: 1, max: 4 }), integer({ min: 2, max: 700 }), (disks, blocks) => {
      const sizes = new Array<number>(disks).fill(blocks * blockBytes)
      const geometry = geometryFor(vm, sizes, 1000)
      const slots = new Set(Array.from({ length: geometry.slots }, (_, index) => slotOf(geometry, index + 1)))
      expect(slots.size).toBe(geometry.slots)
      expect(slotOf(geometry, geometry.slots + 1)).toBe(slotOf(geometry, 1))
    }),
  )
})

test('the first write of a slot is the one that goes there', () => {
  const geometry = geometryFor(vm, [400 * blockBytes, 400 * blockBytes], 1000)
  const first = firstWrites(geometry)
  expect([...first].every((write, slot) => slotOf(geometry, write) === slot)).toBe(true)
})

test('no slot lies on a header or past the end of the smallest disk', () => {
  const geometry = geometryFor(vm, [10 * blockBytes, 7 * blockBytes + 5], 1000)
  const offsets = Array.from({ length: geometry.slots }, (_, slot) => placeOf(geometry, slot).offset)
  expect(Math.min(...offsets)).toBe(blockBytes)
  expect(Math.max(...offsets)).toBe(6 * blockBytes)
})

test('writes that follow each other lie far apart', () => {
  const geometry = geometryFor(vm, [64 * 2 ** 20, 64 * 2 ** 20], 16_384)
  const [one, two] = [placeOf(geometry, slotOf(geometry, 1)), placeOf(geometry, slotOf(geometry, 2))]
  expect(Math.abs(one.offset - two.offset)).toBeGreaterThan(2 ** 20)
})

test('a disk with room for nothing but the header is refused', () => {
  expect(() => geometryFor(vm, [blockBytes], 1000)).toThrow('no disk with room')
})

test('a block tells its write', () => {
  expect(decodeBlock(encodeBlock(vm, 2 ** 33 + 7, 12), vm, 12)).toBe(2 ** 33 + 7)
})

test('a block read from another slot, or of another VM, is garbage', () => {
  const block = encodeBlock(vm, 7, 12)
  expect(decodeBlock(block, vm, 13)).toBe('garbage')
  expect(decodeBlock(block, vm.replace('6', '7'), 12)).toBe('garbage')
})

test('a block with any byte changed is garbage', () => {
  check(
    property(integer({ min: 0, max: blockBytes - 1 }), (at) => {
      const block = encodeBlock(vm, 7, 12)
      block.writeUInt8(block.readUInt8(at) ^ 1, at)
      expect(decodeBlock(block, vm, 12)).toBe('garbage')
    }),
  )
})

test('a block of zeros holds nothing', () => {
  expect(decodeBlock(Buffer.alloc(blockBytes), vm, 3)).toBe('nothing')
})

test('a header gives back the geometry and the disk', () => {
  const geometry = geometryFor(vm, [400 * blockBytes, 400 * blockBytes], 1000)
  expect(decodeHeader(encodeHeader(geometry, 1))).toEqual({ geometry, disk: 1 })
})

test('a damaged header is no header', () => {
  const header = encodeHeader(geometryFor(vm, [400 * blockBytes], 1000), 0)
  header.writeUInt8(header.readUInt8(20) ^ 1, 20)
  expect(decodeHeader(header)).toBeUndefined()
})
