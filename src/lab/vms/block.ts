import { crc32 } from 'node:zlib'
import { blockBytes, type Geometry } from './geometry.ts'

const blockMagic = 'VMBKBLK1'
const headerMagic = 'VMBKDSK1'
const crcAt = 8
const bodyAt = 12
const idBytes = 36
const payloadAt = 64

const zeros = Buffer.alloc(blockBytes)

/** What a slot holds: a write of this VM to this slot, nothing yet, or something that no write left there. */
export type Found = number | 'nothing' | 'garbage'

/** The block that write n leaves in a slot; the same arguments always give the same bytes. */
export function encodeBlock(vm: string, write: number, slot: number): Buffer {
  const block = Buffer.alloc(blockBytes)
  block.write(blockMagic, 0, 'latin1')
  block.writeUIntLE(write, bodyAt, 6)
  block.writeUInt32LE(slot, bodyAt + 6)
  block.write(vm, bodyAt + 10, idBytes, 'latin1')
  let random = (write * 2654435761 + slot + 1) | 0 || 1
  for (let at = payloadAt; at < blockBytes; at += 4) {
    random ^= random << 13
    random ^= random >>> 17
    random ^= random << 5
    block.writeInt32LE(random, at)
  }
  return seal(block)
}

export function decodeBlock(block: Buffer, vm: string, slot: number): Found {
  if (block.equals(zeros)) return 'nothing'
  if (!isSealed(block, blockMagic)) return 'garbage'
  if (block.readUInt32LE(bodyAt + 6) !== slot) return 'garbage'
  if (idAt(block, bodyAt + 10) !== vm) return 'garbage'
  return block.readUIntLE(bodyAt, 6)
}

/** The first block of a disk: the whole geometry and which of the disks this is, so images speak for themselves. */
export function encodeHeader(geometry: Geometry, disk: number): Buffer {
  const block = Buffer.alloc(blockBytes)
  block.write(headerMagic, 0, 'latin1')
  block.writeUInt32LE(disk, bodyAt)
  block.writeUInt32LE(geometry.disks, bodyAt + 4)
  block.writeUInt32LE(geometry.slots, bodyAt + 8)
  block.writeUInt32LE(geometry.multiplier, bodyAt + 12)
  block.write(geometry.vm, bodyAt + 16, idBytes, 'latin1')
  return seal(block)
}

/** Undefined if the block is not a header, or a damaged one. */
export function decodeHeader(block: Buffer): { geometry: Geometry; disk: number } | undefined {
  if (block.length !== blockBytes || !isSealed(block, headerMagic)) return undefined
  return {
    disk: block.readUInt32LE(bodyAt),
    geometry: {
      vm: idAt(block, bodyAt + 16),
      disks: block.readUInt32LE(bodyAt + 4),
      slots: block.readUInt32LE(bodyAt + 8),
      multiplier: block.readUInt32LE(bodyAt + 12),
    },
  }
}

function seal(block: Buffer): Buffer {
  block.writeUInt32LE(crc32(block.subarray(bodyAt)), crcAt)
  return block
}

function isSealed(block: Buffer, magic: string): boolean {
  return (
    block.toString('latin1', 0, crcAt) === magic &&
    block.readUInt32LE(crcAt) === crc32(block.subarray(bodyAt))
  )
}

function idAt(block: Buffer, at: number): string {
  return block.toString('latin1', at, at + idBytes).replace(/\0+$/, '')
}
