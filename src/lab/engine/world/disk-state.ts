import type { Disk, Vm, Volume } from './entities.ts'
import type { World } from './world.ts'

/** The volume written to, which the API calls the disk's `image_id`. */
export function activeVolume(disk: Disk): Volume {
  const active = disk.volumes.at(-1)
  if (active === undefined) throw new Error(`disk ${disk.alias} has no volume`)
  return active
}

/** The VM's disks with their attachments, in the order attached. */
export function disksOf(world: World, vm: Vm) {
  return [...vm.attachments.values()].flatMap((attachment) => {
    const disk = world.disks.get(attachment.disk)
    return disk === undefined ? [] : [{ disk, attachment }]
  })
}

/** The VM's image disks. */
export function imagesOf(world: World, vm: Vm): Disk[] {
  return disksOf(world, vm)
    .map(({ disk }) => disk)
    .filter((disk) => disk.storageType === 'image')
}

export function hasIllegalImages(world: World, vm: Vm): boolean {
  return imagesOf(world, vm).some((disk) => disk.volumes.some((volume) => volume.status === 'illegal'))
}

/** Asks the host how much each volume of a disk occupies; keeps the last figures where it cannot tell. */
export async function refreshSizes(world: World, disk: Disk): Promise<void> {
  if (!world.isOnHost(disk)) return
  for (const volume of disk.volumes) {
    volume.allocatedBytes = await world.host
      .allocatedBytes({ image: disk.id, volume: volume.id })
      .catch(() => volume.allocatedBytes)
  }
}

/** A VM's snapshot that stands for its present state. */
export function activeSnapshot(vm: Vm) {
  const active = vm.snapshots.find((snapshot) => snapshot.type === 'active')
  if (active === undefined) throw new Error(`VM ${vm.name} has no active snapshot`)
  return active
}

/** States in which a VM has a qemu process that can take part in live operations. */
export function isRunning(vm: Vm): boolean {
  return ['up', 'powering_up', 'paused', 'reboot_in_progress'].includes(vm.status)
}
