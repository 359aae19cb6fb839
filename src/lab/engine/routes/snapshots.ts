import { type Call, collection, created, demand, done, idIn, ok } from '../api/call.ts'
import { snapshotDiskElement } from '../api/disk-elements.ts'
import type { Routes } from '../api/router.ts'
import { snapshotElement } from '../api/vm-elements.ts'
import { incomplete, Missing, notFound } from '../wire/fault.ts'
import type { Input } from '../wire/parse-input.ts'
import type { Disk, Snapshot, Vm } from '../world/entities.ts'
import { createSnapshot } from '../world/snapshot-create.ts'
import { removeSnapshot } from '../world/snapshot-remove.ts'
import type { SnapshotOrder } from '../world/snapshot-rules.ts'
import { vmIn } from './vms.ts'

/** Snapshots: taking, looking at, removing. */
export const snapshotRoutes: Routes = {
  'GET /vms/{vm}/snapshots': (call) => {
    const vm = call.world.vms.get(idIn(call, 'vm'))
    const shown =
      vm === undefined ? [] : vm.snapshots.filter(isShown).map((each) => snapshotElement(vm, each))
    return collection('snapshots', 'snapshot', shown)
  },
  'POST /vms/{vm}/snapshots': async (call) => {
    demand(call, 'manipulate_vm_snapshots')
    const order = orderIn(call.input('snapshot'))
    const { snapshot, done: taken } = createSnapshot(call.world, idIn(call, 'vm'), order, call.issuer)
    const vm = vmIn(call)
    if (call.waits) {
      await taken
      if (!vm.snapshots.includes(snapshot)) throw notFound(`snapshot ${snapshot.id}`)
    }
    const status = call.waits ? 201 : call.world.settings.createAnswers
    const element = snapshotElement(vm, snapshot)
    return created('snapshot', status === 201 ? element : { ...element, creation_status: 'pending' }, status)
  },
  'GET /vms/{vm}/snapshots/{snapshot}': (call) => {
    const { vm, snapshot } = snapshotIn(call)
    return ok('snapshot', snapshotElement(vm, snapshot))
  },
  'DELETE /vms/{vm}/snapshots/{snapshot}': (call) => {
    const { vm, snapshot } = snapshotIn(call)
    demand(call, 'manipulate_vm_snapshots')
    return done(removeSnapshot(call.world, vm, snapshot, call.issuer).job)
  },
  'GET /vms/{vm}/snapshots/{snapshot}/disks': (call) => {
    const { vm, snapshot } = snapshotIn(call)
    const disks = disksIn(call, snapshot).map((disk) => snapshotDiskElement(vm, snapshot, disk))
    return collection('disks', 'disk', disks)
  },
  'GET /vms/{vm}/snapshots/{snapshot}/disks/{disk}': (call) => {
    const { vm, snapshot } = snapshotIn(call)
    const id = idIn(call, 'disk')
    const disk = disksIn(call, snapshot).find((each) => each.id === id)
    if (disk === undefined) throw new Missing()
    return ok('disk', snapshotDiskElement(vm, snapshot, disk))
  },
}

function isShown(snapshot: Snapshot): boolean {
  return snapshot.configured
}

/** The snapshot named in the path; one without its configuration is not found, though its row still exists. */
function snapshotIn(call: Call): { vm: Vm; snapshot: Snapshot } {
  const id = idIn(call, 'snapshot')
  const vm = call.world.vms.get(idIn(call, 'vm'))
  const snapshot = vm?.snapshots.find((each) => each.id === id)
  if (vm === undefined || snapshot === undefined) throw new Missing()
  if (!isShown(snapshot)) throw notFound('null')
  return { vm, snapshot }
}

function disksIn(call: Call, snapshot: Snapshot): Disk[] {
  return [...snapshot.disks.keys()].flatMap((id) => call.world.disks.get(id) ?? [])
}

function orderIn(input: Input): SnapshotOrder {
  const { description, persist_memorystate: memory, disk_attachments: attachments } = input
  if (typeof description !== 'string' || description === '')
    throw incomplete('Snapshot', ['description'], 'add')
  return {
    description,
    memory: memory !== false,
    disks: Array.isArray(attachments) ? disksNamed(attachments) : undefined,
  }
}

function disksNamed(attachments: readonly Input[]): SnapshotOrder['disks'] {
  // BackendSnapshotsResource.mapDisks gives no map for an empty list, and the add then fails on it.
  if (attachments.length === 0) throw new TypeError('no map of disks')
  return attachments.flatMap(({ disk }) => {
    const { id, image_id: imageId } = (disk ?? {}) as Input
    if (typeof id !== 'string') return []
    return [
      { id: id.toLowerCase(), imageId: typeof imageId === 'string' && imageId !== '' ? imageId : undefined },
    ]
  })
}
