import { refused } from '../wire/fault.ts'
import { activeVolume, disksOf } from './disk-state.ts'
import type { Disk, Vm } from './entities.ts'
import type { World } from './world.ts'

export interface SnapshotOrder {
  description: string
  memory: boolean
  /** The disks asked for with the overlay ids wished; undefined: all that can take part. */
  disks: { id: string; imageId: string | undefined }[] | undefined
}

const cannot = 'Cannot create Snapshot'
const refusedStates = new Set([
  'migrating',
  'suspended',
  'image_locked',
  'not_responding',
  'unassigned',
  'unknown',
  'saving_state',
  'restoring_state',
  'wait_for_launch',
  'powering_down',
])

/** Refuses what the engine refuses before it takes a snapshot, in its order; else the VM. */
export function checkSnapshot(world: World, vmId: string, order: SnapshotOrder): Vm {
  const vm = world.vms.get(vmId)
  if (vm === undefined) throw refused(400, `${cannot}. VM is not found.`)
  if (vm.lock !== undefined) throw refused(409, `${cannot}. ${vm.lock}`)
  if (vm.origin !== 'ovirt' && vm.origin !== 'rhev') {
    throw refused(400, `${cannot}. This VM is not managed by the engine.`)
  }
  checkNamedDisks(world, vm, order)
  checkVmState(world, vm)
  checkDisks(takingPart(world, vm, order), order)
  checkDomains(world, takingPart(world, vm, order))
  return vm
}

/** Image disks that can be in a snapshot; LUNs and shareable disks fall out without a word. */
export function takingPart(world: World, vm: Vm, order: SnapshotOrder): Disk[] {
  const named = order.disks && new Set(order.disks.map(({ id }) => id))
  return disksOf(world, vm)
    .map(({ disk }) => disk)
    .filter((disk) => disk.storageType === 'image' && !disk.shareable)
    .filter((disk) => named === undefined || named.has(disk.id))
}

function checkNamedDisks(world: World, vm: Vm, order: SnapshotOrder): void {
  const ids = (order.disks ?? []).map(({ id }) => id)
  const unknown = ids.filter((id) => !world.disks.has(id))
  if (unknown.length > 0) {
    throw refused(400, `${cannot}. The following disk(s) ID(s) does not exist: ${unknown.join(', ')}.`)
  }
  const named = ids.flatMap((id) => world.disks.get(id) ?? [])
  const unfit = named.filter((disk) => disk.storageType === 'lun' || disk.shareable)
  if (unfit.length > 0) {
    throw refused(400, `${cannot}. Snapshot is not allowed for the following disk(s): ${aliases(unfit)}.`)
  }
  const foreign = named.filter((disk) => !vm.attachments.has(disk.id))
  if (foreign.length > 0) {
    throw refused(
      400,
      `${cannot}. The following disk(s) are not attached to the VM ${vm.name}: ${aliases(foreign)}.`,
    )
  }
}

function checkVmState(world: World, vm: Vm): void {
  if (refusedStates.has(vm.status)) {
    throw refused(409, `${cannot} because the VM is in ${words(vm.status)} status.`)
  }
  const cluster = world.clusters.get(vm.cluster)
  const dataCenter = cluster && world.dataCenters.get(cluster.dataCenter)
  if (dataCenter?.status !== 'up') throw refused(409, `${cannot}. The Data Center is not up.`)
  if (vm.snapshots.some((snapshot) => snapshot.status === 'locked')) {
    throw refused(
      409,
      `${cannot}. The VM is performing an operation on a Snapshot. Please wait for the operation to finish, and try again.`,
    )
  }
  if (vm.snapshots.some((snapshot) => snapshot.status === 'in_preview')) {
    throw refused(409, `${cannot}. VM is previewing a Snapshot.`)
  }
  if (vm.stateless && vm.status !== 'down') throw refused(409, `${cannot}. VM is running as Stateless.`)
}

function checkDisks(disks: Disk[], order: SnapshotOrder): void {
  const locked = disks.filter((disk) => disk.status === 'locked')
  if (locked.length > 0) {
    throw refused(
      409,
      `${cannot}: The following disks are locked: ${aliases(locked)}. Please try again in a few minutes.`,
    )
  }
  const illegal = disks.filter((disk) => disk.status === 'illegal' || activeVolume(disk).status === 'illegal')
  if (illegal.length > 0) {
    throw refused(
      500,
      `${cannot}. The following attached disks are in ILLEGAL status: ${aliases(illegal)} - please remove them and try again.`,
    )
  }
  const wished = new Map(order.disks?.map(({ id, imageId }) => [id, imageId]))
  const used = disks.flatMap((disk) => disk.volumes.filter(({ id }) => id === wished.get(disk.id)))
  if (used.length > 0) {
    const ids = used.map(({ id }) => id).join(', ')
    throw refused(409, `${cannot}. Image IDs ${ids} are already used by a snapshot.`)
  }
}

function checkDomains(world: World, disks: Disk[]): void {
  for (const id of new Set(disks.map((disk) => disk.domain))) {
    const domain = world.domains.get(id ?? '')
    if (domain?.status !== 'active') {
      throw refused(
        409,
        `${cannot}. The relevant Storage Domain's status is ${words(domain?.status ?? 'unknown')}.`,
      )
    }
    if (domain.freeBytes < domain.criticalSpaceGb * 1024 ** 3) {
      throw refused(409, `${cannot}. Low disk space on Storage Domain ${domain.name}.`)
    }
  }
}

function aliases(disks: readonly Disk[]): string {
  return disks.map((disk) => disk.alias).join(', ')
}

/** `not_responding` as the engine's messages print it. */
function words(status: string): string {
  return status
    .split('_')
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join(' ')
}
