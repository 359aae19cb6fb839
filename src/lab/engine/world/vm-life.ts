import type { VmSpec } from '../../vm-host.ts'
import { refused } from '../wire/fault.ts'
import { disksOf, isRunning } from './disk-state.ts'
import type { Vm } from './entities.ts'
import { logEvent, refsOf } from './events.ts'
import { endCommand, type Issuer, startJob } from './jobs.ts'
import type { World } from './world.ts'

/** The VM as its host runs it: plugged image disks on the host's domains; nobody writes to what others share. */
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
  const [code, verb] = resumes ? [40, 'resumed'] : [153, 'started']
  logEvent(world, code, `VM ${vm.name} was ${verb} by ${issuer.userName}.`, refsOf(vm), issuer)
  const done = world.background(async () => {
    try {
      if (resumes) await world.host.resume?.(vm.id)
      else await launch(world, vm, issuer)
      endCommand(world, job, true)
    } catch (error) {
      const refs = refsOf(vm)
      markDown(world, vm)
      logEvent(world, 119, `VM ${vm.name} is down with error: ${String(error)}`, refs, issuer)
      endCommand(world, job, false)
    }
  })
  return { job, done }
}

async function launch(world: World, vm: Vm, issuer: Issuer): Promise<void> {
  await world.host.start(specOf(world, vm))
  vm.status = 'powering_up'
  vm.started = world.clock.now()
  await world.sleep(world.settings.timings.vmStart)
  if (vm.status !== 'powering_up') return
  vm.status = 'up'
  logEvent(world, 32, `VM ${vm.name} started on Host ${hostName(world, vm.host)}.`, refsOf(vm), issuer)
}

/** Powers a VM off, from the engine or from inside the guest. */
export function stopVm(world: World, vm: Vm, issuer: Issuer) {
  if (vm.status === 'down') throw refused(409, 'Cannot stop VM. VM is not running.')
  const job = startJob(world, issuer, `Powering Off VM ${vm.name}`)
  vm.status = 'powering_down'
  const done = world.background(async () => {
    await world.sleep(world.settings.timings.vmStop)
    await world.host.stop(vm.id)
    const refs = refsOf(vm)
    markDown(world, vm)
    // A guest that shuts down by itself leaves the second event only.
    if (issuer.user !== '')
      logEvent(world, 33, `VM ${vm.name} powered off by ${issuer.userName}.`, refs, issuer)
    logEvent(world, 61, `VM ${vm.name} is down.`, refs)
    endCommand(world, job, true)
  })
  return { job, done }
}

/** The VM's process dies; the engine finds it gone. */
export async function crashVm(world: World, vm: Vm): Promise<void> {
  if (!isRunning(vm)) throw refused(409, 'Cannot crash VM. VM is not running.')
  await (world.host.crash?.(vm.id) ?? world.host.stop(vm.id))
  const refs = refsOf(vm)
  markDown(world, vm)
  const why = 'Exit message: Lost connection with qemu process.'
  logEvent(world, 119, `VM ${vm.name} is down with error. ${why}`, refs)
}

/** Moves a VM that is up to the other host of its cluster; its disks stay as they are. */
export async function migrateVm(world: World, vm: Vm): Promise<void> {
  if (vm.status !== 'up') throw refused(409, 'Cannot migrate VM. VM is not running.')
  // While a snapshot is made or removed the engine holds the VM (MigrateVmCommand takes its lock).
  if (vm.lock !== undefined) throw refused(409, `Cannot migrate VM. ${vm.lock}`)
  const from = vm.host
  const to = hostFor(world, vm, from)
  const words = `(VM: ${vm.name}, Source: ${hostName(world, from)}, Destination: ${hostName(world, to)})`
  vm.status = 'migrating'
  logEvent(world, 62, `Migration started ${words}.`, refsOf(vm))
  await world.sleep(world.settings.timings.vmMigration)
  vm.host = to
  vm.status = 'up'
  logEvent(world, 63, `Migration completed ${words}.`, refsOf(vm))
}

function markDown(world: World, vm: Vm): void {
  vm.status = 'down'
  vm.host = undefined
  vm.stopped = world.clock.now()
}

function hostFor(world: World, vm: Vm, except?: string): string | undefined {
  return [...world.hosts.values()].find(
    (host) => host.cluster === vm.cluster && host.status === 'up' && host.id !== except,
  )?.id
}

function hostName(world: World, id: string | undefined): string {
  return world.hosts.get(id ?? '')?.name ?? 'no host'
}
