import { refused } from '../wire/fault.ts'
import { isRunning } from './disk-state.ts'
import type { Disk, Snapshot, Vm } from './entities.ts'
import { logEvent, refsOf } from './events.ts'
import { strikes } from './faults.ts'
import { endCommand, type Issuer, startJob } from './jobs.ts'
import { removeMemoryDisks } from './memory-disks.ts'
import { mergeDisk } from './merge.ts'
import type { Job } from './records.ts'
import type { World } from './world.ts'

interface Task {
  vm: Vm
  snapshot: Snapshot
  disks: Disk[]
  job: Job
  issuer: Issuer
}

const cannot = 'Cannot remove Snapshot'
const locked = 'Related operation is currently in progress. Please try again later.'

/** Starts the removal of a snapshot that can be seen; refusals are thrown, the merge goes on after the answer. */
export function removeSnapshot(world: World, vm: Vm, snapshot: Snapshot, issuer: Issuer) {
  const disks = checkRemoval(world, vm, snapshot)
  vm.lock = locked
  snapshot.status = 'locked'
  for (const disk of disks) disk.status = 'locked'
  if (world.settings.removedVanishes === 'at once') snapshot.configured = false
  const job = startJob(world, issuer, `Removing Snapshot ${snapshot.description} of VM ${vm.name}`)
  const task = { vm, snapshot, disks, job, issuer }
  tell(
    world,
    task,
    342,
    `Snapshot '${snapshot.description}' deletion for VM '${vm.name}' was begun by ${issuer.userName}.`,
  )
  const done = world.background(async () => {
    await perform(world, task)
    await world.sleep(world.settings.timings.lockRelease)
    vm.lock = undefined
  })
  return { job, done }
}

function checkRemoval(world: World, vm: Vm, snapshot: Snapshot): Disk[] {
  if (vm.lock !== undefined) throw refused(409, `${cannot}. ${vm.lock}`)
  if (vm.origin !== 'ovirt' && vm.origin !== 'rhev') {
    throw refused(400, `${cannot}. This VM is not managed by the engine.`)
  }
  if (vm.snapshots.some((each) => each.status === 'in_preview')) {
    throw refused(409, `${cannot}. VM is previewing a Snapshot.`)
  }
  if (snapshot.type !== 'regular') {
    throw refused(409, `${cannot}. The operation is only allowed for regular snapshots.`)
  }
  if (vm.status !== 'down' && !isRunning(vm)) {
    throw refused(409, `${cannot}. VM ${vm.name} must be in status Down, Up or Paused.`)
  }
  const disks = [...snapshot.disks.keys()].flatMap((id) => world.disks.get(id) ?? [])
  checkDisks(vm, disks)
  checkDomains(world, disks)
  return disks
}

function checkDisks(vm: Vm, disks: readonly Disk[]): void {
  const busy = disks.filter((disk) => disk.status === 'locked')
  if (busy.length > 0) {
    throw refused(
      409,
      `${cannot}: The following disks are locked: ${aliases(busy)}. Please try again in a few minutes.`,
    )
  }
  const unplugged = disks.filter((disk) => vm.attachments.get(disk.id)?.plugged !== true)
  if (isRunning(vm) && unplugged.length > 0) {
    throw refused(
      409,
      `${cannot}. The following disks are either unplugged or unattached: \n ${aliases(unplugged)}`,
    )
  }
}

function checkDomains(world: World, disks: readonly Disk[]): void {
  for (const disk of disks) {
    const domain = world.domains.get(disk.domain ?? '')
    if (domain?.status !== 'active')
      throw refused(409, `${cannot}. The relevant Storage Domain is not active.`)
    if (domain.freeBytes <= 0)
      throw refused(409, `${cannot}. Low disk space on Storage Domain ${domain.name}.`)
  }
}

async function perform(world: World, task: Task): Promise<void> {
  const { vm, snapshot, disks } = task
  const merged = await Promise.all(disks.map((disk) => mergeDisk(world, task, disk)))
  for (const disk of disks) disk.status = 'ok'
  vm.generation++
  const failed = disks.filter((_, index) => merged[index] === false)
  if (failed.length > 0) return keep(world, task, failed)
  if (
    world.faults.take({ at: 'merge', fits: (fault) => fault.effect === 'row stays' && strikes(fault, vm) })
  ) {
    return keep(world, task, [])
  }
  snapshot.configured = false
  await world.sleep(world.settings.timings.mergedBeforeJobEnds)
  removeMemoryDisks(world, snapshot)
  vm.snapshots = vm.snapshots.filter((each) => each !== snapshot)
  tell(world, task, 356, `Snapshot '${snapshot.description}' deletion for VM '${vm.name}' is complete.`)
  endCommand(world, task.job, true)
}

/** After a failure the snapshot stays, `ok`, with the disks that are still to be merged: asking again completes it. */
function keep(world: World, task: Task, failed: readonly Disk[]): void {
  const { vm, snapshot, disks } = task
  for (const disk of disks) if (failed.length > 0 && !failed.includes(disk)) snapshot.disks.delete(disk.id)
  snapshot.configured = true
  snapshot.status = 'ok'
  tell(world, task, 357, `Snapshot '${snapshot.description}' of VM '${vm.name}' could not be deleted.`)
  if (failed.length > 0 && failed.length < disks.length) {
    tell(
      world,
      task,
      359,
      `Snapshot '${snapshot.description}' of VM '${vm.name}' is left with: ${aliases(failed)}.`,
    )
  }
  endCommand(world, task.job, false)
}

function tell(world: World, { vm, issuer }: Task, code: number, text: string): void {
  logEvent(world, code, text, refsOf(vm), issuer)
}

function aliases(disks: readonly Disk[]): string {
  return disks.map((disk) => disk.alias).join(', ')
}
