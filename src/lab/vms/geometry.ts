export const blockBytes = 4096

/**
 * Where a VM's writes go. Write n (from 1) goes to slot ((n-1) * multiplier) mod slots; slots alternate over the
 * disks; the first block of each disk is its header.
 */
export interface Geometry {
  vm: string
  disks: number
  slots: number
  multiplier: number
}

/** A geometry over disks of these sizes; the smallest disk bounds what is used of each. */
export function geometryFor(vm: string, diskSizes: number[], maxSlotsPerDisk: number): Geometry {
  const slotsPerDisk = Math.min(
    maxSlotsPerDisk,
    ...diskSizes.map((size) => Math.floor(size / blockBytes) - 1),
  )
  if (diskSizes.length === 0 || slotsPerDisk < 1)
    throw new Error(`VM ${vm} has no disk with room for a writer`)
  const slots = slotsPerDisk * diskSizes.length
  return { vm, disks: diskSizes.length, slots, multiplier: scatteringMultiplier(slots) }
}

export function slotOf(geometry: Geometry, write: number): number {
  return (((write - 1) % geometry.slots) * geometry.multiplier) % geometry.slots
}

export function placeOf(geometry: Geometry, slot: number): { disk: number; offset: number } {
  const disk = slot % geometry.disks
  return { disk, offset: blockBytes * (1 + (slot - disk) / geometry.disks) }
}

/** The first write that goes to each slot, by slot. */
export function firstWrites(geometry: Geometry): Float64Array {
  const first = new Float64Array(geometry.slots)
  for (let write = 1; write <= geometry.slots; write++) first[slotOf(geometry, write)] = write
  return first
}

// The golden ratio scatters neighbours in time over the whole VM: a copy that overtakes a linear writer
// would look consistent, so a linear order could not serve as a control.
function scatteringMultiplier(slots: number): number {
  let multiplier = Math.max(1, Math.round(slots * 0.618034))
  while (greatestCommonDivisor(multiplier, slots) !== 1) multiplier += 1
  return multiplier
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b)
}
