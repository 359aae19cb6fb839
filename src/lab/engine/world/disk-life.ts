import { randomUUID } from 'node:crypto'
import { refused } from '../wire/fault.ts'
import { activeSnapshot, disksOf, isRunning } from './disk-state.ts'
import type { Disk, Vm } from './entities.ts'
import { logEvent, refsOf } from './events.ts'
import type { World } from './world.ts'

const mib = 1024 * 1024
const by = 'another user'

/** Adds a new disk on the host's domain to a VM; a running VM gets it hot-plugged where its host can. */
export async function hotplugDisk(world: World, vm: Vm, sizeBytes = 64 * mib): Promise<Disk> {
  const disk = blankDisk(world, vm, sizeBytes)
  const [volume] = disk.volumes
  if (volume === undefined) throw new Error('a blank disk has a volume')
  const { id: image, alias } = disk
  logEvent(world, 78, `Add-Disk operation of '${alias}' was initiated on VM ${vm.name} by ${by}.`, refsOf(vm))
  await world.host.createVolume({
    domain: disk.domain,
    image,
    volume: volume.id,
    sizeBytes,
    format: 'raw',
    alias,
  })
  world.disks.set(image, disk)
  vm.attachments.set(image, { disk: image, plugged: true, bootable: false, readOnly: false })
  vm.generation++
  logEvent(world, 97, `The disk '${alias}' was successfully added to VM ${vm.name}.`, refsOf(vm))
  if (!isRunning(vm)) return disk
  await world.host.plug?.(vm.id, { image, chain: [{ volume: volume.id, format: 'raw' }] })
  logEvent(world, 2000, `VM ${vm.name} disk ${alias} was plugged by ${by}.`, refsOf(vm))
  return disk
}

function blankDisk(world: World, vm: Vm, sizeBytes: number): Disk {
  return {
    id: randomUUID(),
    alias: `${vm.name}_Disk${vm.attachments.size + 1}`,
    description: '',
    storageType: 'image',
    contentType: 'data',
    sizeBytes,
    domain: world.hostDomain,
    shareable: false,
    status: 'ok',
    volumes: [
      {
        id: randomUUID(),
        format: 'raw',
        parent: undefined,
        snapshot: activeSnapshot(vm).id,
        status: 'ok',
        created: world.clock.now(),
        allocatedBytes: 0,
      },
    ],
    vms: new Set([vm.id]),
  }
}

/**
 * Moves a VM's last disk on the host's domains to the domain `archive`, as the engine's database and events show it; the
 * host keeps the files, for it does not hold that domain.
 */
export async function moveDisk(world: World, vm: Vm): Promise<void> {
  const disk = disksOf(world, vm).findLast(({ disk: each }) => world.isOnHost(each))?.disk
  const target = [...world.domains.values()].find(({ name }) => name === 'archive')
  if (disk === undefined || target === undefined) throw refused(409, 'Cannot move Virtual Disk.')
  if (disk.status !== 'ok') throw refused(409, 'Cannot move Virtual Disk. The disk is locked.')
  const refs = { ...refsOf(vm), storageDomain: target.id }
  disk.status = 'locked'
  logEvent(world, 2008, `User ${by} moving disk ${disk.alias} to domain ${target.name}.`, refs)
  await world.sleep(world.settings.timings.diskMove)
  disk.domain = target.id
  disk.status = 'ok'
  vm.generation++
  logEvent(world, 2010, `User ${by} finished moving disk ${disk.alias} to domain ${target.name}.`, refs)
}
