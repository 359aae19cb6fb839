import { randomUUID } from 'node:crypto'
import type { OverlayRef } from '../../vm-host.ts'
import { activeSnapshot, activeVolume, isRunning, refreshSizes } from './disk-state.ts'
import type { Disk, Snapshot, Vm, Volume } from './entities.ts'
import { logEvent, refsOf } from './events.ts'
import { strikes } from './faults.ts'
import { freezeGuest, thawGuest } from './freeze.ts'
import { endCommand, type Issuer, startJob } from './jobs.ts'
import { addMemoryDisks } from './memory-disks.ts'
import { pauseForMemory } from './pause.ts'
import type { Job } from './records.ts'
import { checkSnapshot, type SnapshotOrder, takingPart } from './snapshot-rules.ts'
import type { World } from './world.ts'

/** One disk's part: the database names the overlay from the start, long before the VM writes to it. */
interface Part {
  disk: Disk
  base: Volume
  overlay: Volume
}

interface Task {
  vm: Vm
  snapshot: Snapshot
  /** The new "Active VM" snapshot; the created one took over the old one's id. */
  active: Snapshot
  parts: Part[]
  job: Job
  issuer: Issuer
}

/** Takes a snapshot: refusals are thrown, the rest happens later; the answer's snapshot is locked until then. */
export function createSnapshot(world: World, vmId: string, order: SnapshotOrder, issuer: Issuer) {
  const vm = checkSnapshot(world, vmId, order)
  vm.lock = `Snapshot is currently being created for VM ${vm.name}.`
  const job = startJob(world, issuer, `Creating VM Snapshot ${order.description} for VM ${vm.name}`)
  const task = { ...writeRows(world, vm, order), vm, job, issuer }
  tell(
    world,
    task,
    45,
    `Snapshot '${order.description}' creation for VM '${vm.name}' was begun by ${issuer.userName}.`,
  )
  const done = world.background(async () => {
    await perform(world, task)
    await world.sleep(world.settings.timings.lockRelease)
    vm.lock = undefined
  })
  return { snapshot: task.snapshot, job, done }
}

function writeRows(world: World, vm: Vm, order: SnapshotOrder) {
  const disks = takingPart(world, vm, order)
  const old = activeSnapshot(vm)
  const now = world.clock.now()
  const active: Snapshot = { ...old, id: randomUUID(), disks: new Map() }
  const snapshot: Snapshot = {
    id: old.id,
    description: order.description,
    type: 'regular',
    status: 'locked',
    date: now,
    memory: order.memory && isRunning(vm),
    disks: new Map(disks.map((disk) => [disk.id, activeVolume(disk).id])),
    configured: true,
  }
  vm.snapshots.splice(vm.snapshots.indexOf(old), 1, snapshot, active)
  const wished = new Map(order.disks?.map(({ id, imageId }) => [id, imageId]))
  const parts = disks.map((disk) => addOverlay(disk, wished.get(disk.id) ?? randomUUID(), active.id, now))
  moveOthers(world, vm, snapshot.id, active.id, disks)
  return { snapshot, active, parts }
}

function addOverlay(disk: Disk, id: string, snapshot: string, created: Date): Part {
  const base = activeVolume(disk)
  const overlay: Volume = {
    id,
    format: 'cow',
    parent: base.id,
    snapshot,
    status: 'locked',
    created,
    allocatedBytes: 0,
  }
  disk.volumes.push(overlay)
  disk.status = 'locked'
  return { disk, base, overlay }
}

/** Volumes of disks that take no part go on belonging to the active snapshot. */
function moveOthers(world: World, vm: Vm, from: string, to: string, except: readonly Disk[]): void {
  for (const id of vm.attachments.keys()) {
    const disk = world.disks.get(id)
    if (disk === undefined || except.includes(disk)) continue
    for (const volume of disk.volumes) if (volume.snapshot === from) volume.snapshot = to
  }
}

async function perform(world: World, task: Task): Promise<void> {
  try {
    await createVolumes(world, task)
  } catch (error) {
    return fail(world, task, error)
  }
  if (!isRunning(task.vm)) return succeed(world, task)
  const wentLive = await goLive(world, task)
  if (wentLive === 'yes') return succeed(world, task)
  if (wentLive === 'in use') return keepInconsistent(world, task)
  return fail(world, task, wentLive)
}

async function createVolumes(world: World, { vm, parts }: Task): Promise<void> {
  await world.sleep(world.settings.timings.snapshotVolumes)
  if (world.faults.take({ at: 'snapshot', fits: (fault) => strikes(fault, vm) })) {
    throw new Error('the storage refused to make the volume')
  }
  const onHost = parts.filter(({ disk }) => world.isOnHost(disk))
  await Promise.all(onHost.map((part) => world.spm(() => world.host.createOverlay(overlayRef(part)))))
}

/** The live part: freeze, switch, thaw. Answers `in use` when it failed although the VM writes to the overlays. */
async function goLive(
  world: World,
  { vm, snapshot, parts, issuer }: Task,
): Promise<'yes' | 'in use' | Error> {
  const fault = world.faults.take({ at: 'live', fits: (candidate) => strikes(candidate, vm) })
  const plugged = parts.filter(({ disk }) => world.isOnHost(disk) && vm.attachments.get(disk.id)?.plugged)
  // Saving memory stops the guest until all of it is written, so that there is nothing to freeze.
  const memory = snapshot.memory ? await pauseForMemory(world, vm) : undefined
  try {
    if (!memory) await freezeGuest(world, vm, issuer)
    if (memory) await world.sleep(world.settings.timings.snapshotMemory)
    await world.sleep(world.settings.timings.snapshotLive)
    if (fault?.effect === 'fails') throw new Error('the host refused to switch')
    if (plugged.length > 0) await world.host.switchToOverlays(vm.id, plugged.map(overlayRef))
    return fault === undefined ? 'yes' : 'in use'
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error))
  } finally {
    await (memory ? memory.resume() : thawGuest(world, vm, issuer))
  }
}

async function succeed(world: World, task: Task): Promise<void> {
  if (task.snapshot.memory) addMemoryDisks(world, task.vm, task.snapshot)
  await settle(world, task)
  tell(
    world,
    task,
    68,
    `Snapshot '${task.snapshot.description}' creation for VM '${task.vm.name}' is complete.`,
  )
  endCommand(world, task.job, true)
}

async function keepInconsistent(world: World, task: Task): Promise<void> {
  const { snapshot, vm } = task
  await settle(world, task)
  tell(world, task, 170, `Live snapshot '${snapshot.description}' of VM '${vm.name}' failed; restart the VM.`)
  tell(world, task, 10774, `Snapshot '${snapshot.description}' of VM '${vm.name}' may be inconsistent.`)
  endCommand(world, task.job, true)
}

async function settle(world: World, { vm, snapshot, parts }: Task): Promise<void> {
  for (const { disk, overlay } of parts) {
    overlay.status = 'ok'
    disk.status = 'ok'
    await refreshSizes(world, disk)
  }
  vm.generation++
  snapshot.status = 'ok'
}

/** Undoes the rows: the new volumes go, ids are put back. */
async function fail(world: World, task: Task, error: unknown): Promise<void> {
  const { vm, snapshot, active, parts, job } = task
  for (const part of parts) {
    const { disk, overlay } = part
    if (world.isOnHost(disk)) await world.host.removeOverlay(overlayRef(part)).catch(() => undefined)
    disk.volumes = disk.volumes.filter((volume) => volume !== overlay)
    disk.status = 'ok'
  }
  moveOthers(world, vm, active.id, snapshot.id, [])
  active.id = snapshot.id
  vm.snapshots = vm.snapshots.filter((each) => each !== snapshot)
  const why = error instanceof Error ? error.message : String(error)
  tell(world, task, 69, `Snapshot '${snapshot.description}' creation for VM '${vm.name}' failed: ${why}.`)
  endCommand(world, job, false)
}

function tell(world: World, { vm, issuer }: Task, code: number, text: string): void {
  logEvent(world, code, text, refsOf(vm), issuer)
}

function overlayRef({ disk, base, overlay }: Part): OverlayRef {
  return { image: disk.id, base: base.id, overlay: overlay.id }
}
