import { decodeHeader, encodeHeader } from './block.ts'
import { blockBytes, type Geometry, geometryFor } from './geometry.ts'
import { judge, judgeCrashed } from './judge.ts'
import type { NbdDisk } from './nbd.ts'
import { findGeometry, scan } from './scan.ts'

export const writesPerFlush = 64

interface Start {
  geometry: Geometry
  /** In the order of their headers. */
  disks: NbdDisk[]
  /** All writes up to this one are there. */
  write: number
  /** Later writes up to this one may be there in part. */
  seen: number
}

/** Where a writer goes on; blank disks get their headers. Throws if the disks are torn beyond what a crash leaves. */
export async function findStart(vm: string, disks: NbdDisk[], maxSlotsPerDisk: number): Promise<Start> {
  const heads = await Promise.all(disks.map((disk) => disk.read(0, blockBytes)))
  return heads.some((head) => decodeHeader(head)) ? continued(vm, disks) : begun(vm, disks, maxSlotsPerDisk)
}

async function begun(vm: string, disks: NbdDisk[], maxSlotsPerDisk: number): Promise<Start> {
  const sizes = disks.map(({ sizeBytes }) => sizeBytes)
  const geometry = geometryFor(vm, sizes, maxSlotsPerDisk)
  for (const [index, disk] of disks.entries()) {
    await disk.write(0, encodeHeader(geometry, index))
    await disk.flush()
  }
  return { geometry, disks, write: 0, seen: 0 }
}

async function continued(vm: string, disks: NbdDisk[]): Promise<Start> {
  const found = await findGeometry(disks)
  if ('why' in found) throw new Error(found.why)
  if (found.geometry.vm !== vm) throw new Error(`the disks are VM ${found.geometry.vm}'s, not VM ${vm}'s`)
  const slots = await scan(found.geometry, found.disks)
  if (!slots) throw new Error('a disk is shorter than its header says')
  const state = judge(found.geometry, slots)
  if (state.verdict === 'exactly') return { ...found, write: state.n, seen: state.n }
  const crashed = judgeCrashed(found.geometry, slots, writesPerFlush)
  if (!crashed) throw new Error(`the disks are torn (${state.wrong} blocks wrong)`)
  return { ...found, write: crashed.durable, seen: crashed.seen }
}
