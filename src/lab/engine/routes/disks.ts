import { type Call, collection, demandView, flag, idIn, ok } from '../api/call.ts'
import { diskElement, diskSnapshotElement } from '../api/disk-elements.ts'
import { found } from '../api/list.ts'
import type { Routes } from '../api/router.ts'
import { searched } from '../search/match.ts'
import { diskSearch } from '../search/searchables.ts'
import type { Element } from '../wire/element.ts'
import { Missing } from '../wire/fault.ts'
import { refreshSizes } from '../world/disk-state.ts'
import type { Disk } from '../world/entities.ts'

/** Disks and their volumes. */
export const diskRoutes: Routes = {
  'GET /disks': (call) => {
    demandView(call)
    const disks = searched([...call.world.disks.values()], diskSearch(call.world), call.query)
    return collection('disks', 'disk', disks.map(diskElement))
  },
  'GET /disks/{disk}': async (call) => {
    const disk = diskIn(call)
    await refreshSizes(call.world, disk)
    return ok('disk', diskElement(disk))
  },
  'GET /disks/{disk}/disksnapshots': (call) => {
    const disk = call.world.disks.get(idIn(call, 'disk'))
    return collection(
      'disk_snapshots',
      'disk_snapshot',
      disk ? volumesOf(call, disk, `/disks/${disk.id}`) : [],
    )
  },
  'GET /disks/{disk}/disksnapshots/{volume}': (call) => {
    const id = idIn(call, 'volume')
    const disk = call.world.disks.get(idIn(call, 'disk'))
    const volume = disk?.volumes.find((each) => each.id === id)
    return found(disk && volume && diskSnapshotElement(disk, volume, `/disks/${disk.id}`), (element) =>
      ok('disk_snapshot', element),
    )
  },
}

function diskIn(call: Call): Disk {
  const disk = call.world.disks.get(idIn(call, 'disk'))
  if (disk === undefined) throw new Missing()
  return disk
}

/** A disk's volumes as rows; the active one only on `include_active`. */
export function volumesOf(call: Call, disk: Disk, under: string): Element[] {
  const volumes = flag(call, 'include_active') ? disk.volumes : disk.volumes.slice(0, -1)
  return volumes.map((volume) => diskSnapshotElement(disk, volume, under))
}
