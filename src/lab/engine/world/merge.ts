import type { OverlayRef } from '../../vm-host.ts'
import { isRunning, refreshSizes } from './disk-state.ts'
import type { Disk, Snapshot, Vm, Volume } from './entities.ts'
import { strikes } from './faults.ts'
import { addStep, endStep } from './jobs.ts'
import type { Job, Step } from './records.ts'
import type { World } from './world.ts'

interface Merge {
  vm: Vm
  snapshot: Snapshot
  job: Job
}

/**
 * Merges the volume above a snapshot's volume into it, whose id stays. Answers false when that failed: the base is then
 * marked illegal and asking again heals it. A volume merged by an earlier try is no failure.
 */
export async function mergeDisk(world: World, { vm, snapshot, job }: Merge, disk: Disk): Promise<boolean> {
  const base = disk.volumes.find(({ id }) => id === snapshot.disks.get(disk.id))
  const top = disk.volumes.find(({ parent }) => parent !== undefined && parent === base?.id)
  if (base === undefined || top === undefined) return true
  const parent = addStep(world, job, 'unknown', `Merging snapshots of disk ${disk.alias}`).id
  const step = async (name: string, act: () => Promise<void>) => {
    const row = addStep(world, job, 'unknown', name, { parent })
    await inStep(world, row, act)
  }
  try {
    await mergeVolumes(world, vm, { disk, base, top }, step)
  } catch {
    base.status = 'illegal'
    return false
  }
  dropTop(vm, disk, base, top)
  await refreshSizes(world, disk)
  return true
}

interface Chain {
  disk: Disk
  base: Volume
  top: Volume
}

type StepRunner = (name: string, act: () => Promise<void>) => Promise<void>

async function mergeVolumes(
  world: World,
  vm: Vm,
  { disk, base, top }: Chain,
  step: StepRunner,
): Promise<void> {
  const overlay: OverlayRef = { image: disk.id, base: base.id, overlay: top.id }
  const live = isRunning(vm)
  if (live) await step('EXTEND', async () => undefined)
  let failsLate = false
  await step('MERGE', async () => {
    const fault = takeFault(world, vm, disk)
    failsLate = fault?.effect === 'fails late'
    if (fault?.effect === 'never ends') await world.forever()
    if (fault?.effect === 'fails') throw new Error('the host could not merge')
    // Illegal: an earlier try merged it and failed later.
    if (!world.isOnHost(disk) || top.status === 'illegal') return
    await (live ? world.host.mergeLive(vm.id, overlay) : world.host.mergeCold(overlay))
  })
  await step('MERGE_STATUS', async () => {
    top.status = 'illegal'
    if (world.isOnHost(disk)) await world.host.setLegality({ image: disk.id, volume: top.id }, 'ILLEGAL')
  })
  await step('DESTROY_IMAGE', async () => {
    if (failsLate) throw new Error('the storage could not delete the volume')
    if (world.isOnHost(disk)) await world.spm(() => world.host.removeOverlay(overlay))
  })
}

function takeFault(world: World, vm: Vm, disk: Disk) {
  return world.faults.take({
    at: 'merge',
    fits: (candidate) =>
      candidate.effect !== 'row stays' &&
      strikes(candidate, vm) &&
      (candidate.disk === undefined || candidate.disk === disk.id || candidate.disk === disk.alias),
  })
}

async function inStep(world: World, row: Step, act: () => Promise<void>): Promise<void> {
  try {
    await world.sleep(world.settings.timings.mergeStep)
    await act()
    endStep(world, row, true)
  } catch (error) {
    endStep(world, row, false)
    throw error
  }
}

function dropTop(vm: Vm, disk: Disk, base: Volume, top: Volume): void {
  base.snapshot = top.snapshot
  base.status = 'ok'
  disk.volumes = disk.volumes.filter((volume) => volume !== top)
  for (const volume of disk.volumes) if (volume.parent === top.id) volume.parent = base.id
  for (const snapshot of vm.snapshots) {
    if (snapshot.disks.get(disk.id) === top.id) snapshot.disks.set(disk.id, base.id)
  }
}
