import { decodeBlock, decodeHeader, type Found } from './block.ts'
import { blockBytes, type Geometry } from './geometry.ts'

/** Anything that gives the guest's view of a disk; a read past its end gives fewer bytes. */
export interface DiskSource {
  read(offset: number, length: number): Promise<Buffer>
}

const chunkBlocks = 256
const blank = Buffer.alloc(blockBytes)

/**
 * The disks in the order of their headers; or why they are not the disks of one VM. A blank disk beside others was
 * plugged while the VM ran and is left out: nobody writes to it.
 */
export async function findGeometry<T extends DiskSource>(
  disks: T[],
): Promise<{ geometry: Geometry; disks: T[] } | { why: string }> {
  const found = await Promise.all(
    disks.map(async (disk, index) => {
      const head = await disk.read(0, blockBytes)
      return { disk, index, header: decodeHeader(head), isBlank: head.equals(blank) }
    }),
  )
  const first = found.find(({ header }) => header)?.header
  const used = first ? found.filter(({ isBlank }) => !isBlank) : found
  const ordered: T[] = []
  for (const { disk, index, header } of used) {
    if (!header) return { why: `disk ${index + 1} of ${disks.length} has no writer's header` }
    ordered[header.disk] = disk
  }
  if (!first) return { why: 'no disks given' }
  const { geometry } = first
  if (used.some(({ header }) => header?.geometry.vm !== geometry.vm)) return { why: 'disks of different VMs' }
  if (Object.keys(ordered).length !== geometry.disks || used.length !== geometry.disks)
    return { why: `VM ${geometry.vm} has ${geometry.disks} disks, given were ${used.length}` }
  return { geometry, disks: ordered }
}

/** What every slot of the VM holds; undefined where a disk ends too early. Disks in the order of their headers. */
export async function scan(geometry: Geometry, disks: DiskSource[]): Promise<Found[] | undefined> {
  const found: Found[] = new Array<Found>(geometry.slots).fill('garbage')
  const complete = await Promise.all(disks.map((disk, index) => scanDisk(geometry, disk, index, found)))
  return complete.every(Boolean) ? found : undefined
}

async function scanDisk(
  geometry: Geometry,
  disk: DiskSource,
  index: number,
  found: Found[],
): Promise<boolean> {
  const blocks = geometry.slots / geometry.disks
  for (let first = 0; first < blocks; first += chunkBlocks) {
    const count = Math.min(chunkBlocks, blocks - first)
    const chunk = await disk.read(blockBytes * (1 + first), blockBytes * count)
    if (chunk.length < blockBytes * count) return false
    for (let block = 0; block < count; block++) {
      const slot = (first + block) * geometry.disks + index
      found[slot] = decodeBlock(
        chunk.subarray(blockBytes * block, blockBytes * (block + 1)),
        geometry.vm,
        slot,
      )
    }
  }
  return true
}
