import { randomUUID } from 'node:crypto'
import type { VmSpec } from '../../vm-host.ts'
import { refused } from '../wire/fault.ts'
import { activeSnapshot, disksOf, isRunning } from './disk-state.ts'
import type { Disk, Vm } from './entities.ts'
import { logEvent } from './events.ts'
import { endCommand, type Issuer, startJob } from './jobs.ts'
import type { World } from './world.ts'

/** The VM as its host runs it: plugged image disks on the host's domain; nobody writes to what others share. */
export function specOf(world: World, vm: Vm): VmSpec {
  const disks = disksOf(world, vm)
    .filter(({ disk, attachment }) => attachment.plugged && !disk.shareable && world.isOnHost(disk))
    .map(({ disk }) => ({
      image: disk.id,
      chain: disk.volumes.map(({ id, format }) => ({ volume: id, format })),
    }))
  return { id: vm.id, name: vm.name, disks, guestAgent: vm.guestAgent }
}

/** Starts a VM that is down; it is `up` a little after its process runs. */
export function startVm(world: World, vm: Vm, issuer: Issuer) {
  if (vm.lock !== undefined) throw refused(409, `Cannot run VM. ${vm.lock}`)
  if (vm.status !== 'down' && vm.status !== 'paused') throw refused(409, 'Cannot run VM. VM is running.')
  const job = startJob(world, issuer, `Launching VM ${vm.name}`)
  const resumes = vm.status === 'paused'
  vm.status = resumes ? 'up' : 'wait_for_launch'
  vm.host = hostFor(world, vm)
  logEvent(world, 153, `VM ${vm.name} was started by ${issuer.userName}.`, { vm: vm.id }, issuer)
  const done = world.background(async () => {
    try {
      if (!resumes) await launch(world, vm)
      endCommand(world, job, true)
    } catch (error) {
      markDown(world, vm)
      logEvent(world, 119, `VM ${vm.name} is down with error: ${String(error)}`, { vm: vm.id }, issuer)
      endCommand(world, job, false)
    }
  })
  return { job, done }
}

async function launch(world: World, vm: Vm): Promise<void> {
  await world.host.start(specOf(world, vm))
  vm.status = 'powering_up'
  vm.started = world.clock.now()
  await world.sleep(world.settings.timings.vmStart)
  if (vm.status === 'powering_up') vm.status = 'up'
}

/** Powers a VM off, from the engine or from inside the guest. */
export function stopVm(world: World, vm: Vm, issuer: Issuer) {
  if (vm.status === 'down') throw refused(409, 'Cannot stop VM. VM is not running.')
  const job = startJob(world, issuer, `Powering Off VM ${vm.name}`)
  vm.status = 'powering_down'
  const done = world.background(async () => {
    await world.sleep(world.settings.timings.vmStop)
    await world.host.stop(vm.id)
    markDown(world, vm)
    logEvent(world, 33, `VM ${vm.name} powered off by ${issuer.userName}.`, { vm: vm.id }, issuer)
    logEvent(world, 61, `VM ${vm.name} is down.`, { vm: vm.id })
    endCommand(world, job, true)
  })
  return { job, done }
}

/** The guest stands still for want of storage. */
export function pauseVm(world: World, vm: Vm): void {
  if (!isRunning(vm)) throw refused(409, 'Cannot pause VM. VM is not running.')
  vm.status = 'paused'
  logEvent(world, 145, `VM ${vm.name} is paused: storage I/O problem.`, { vm: vm.id })
}

/** Adds a new disk on the host's domain to a VM; a running VM gets it hot-plugged where its host can. */
export async function hotplugDisk(world: World, vm: Vm, sizeBytes = 64 * 1024 * 1024): Promise<Disk> {
  const volume = randomUUID()
  const disk: Disk = {
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
        id: volume,
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
  await world.host.createVolume({ image: disk.id, volume, sizeBytes, format: 'raw', alias: disk.alias })
  world.disks.set(disk.id, disk)
  vm.attachments.set(disk.id, { disk: disk.id, plugged: true, bootable: false, readOnly: false })
  vm.generation++
  if (isRunning(vm)) await world.host.plug?.(vm.id, { image: disk.id, chain: [{ volume, format: 'raw' }] })
  logEvent(world, 2000, `VM ${vm.name}: disk ${disk.alias} was hot-plugged.`, { vm: vm.id })
  return disk
}

function markDown(world: World, vm: Vm): void {
  vm.status = 'down'
  vm.host = undefined
  vm.stopped = world.clock.now()
}

function hostFor(world: World, vm: Vm): string | undefined {
  return [...world.hosts.values()].find((host) => host.cluster === vm.cluster && host.status === 'up')?.id
}
