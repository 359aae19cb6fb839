import { type Call, collection, demand, demandView, done, flag, idIn, ok } from '../api/call.ts'
import { diskElement, diskSnapshotElement } from '../api/disk-elements.ts'
import { found } from '../api/list.ts'
import type { Routes } from '../api/router.ts'
import { attachedDomainElement, dataCenterElement, domainElement } from '../api/storage-elements.ts'
import { vmElement } from '../api/vm-elements.ts'
import { maxOf, searched } from '../search/match.ts'
import { dataCenterSearch, domainSearch } from '../search/searchables.ts'
import type { Element } from '../wire/element.ts'
import { Missing, refused } from '../wire/fault.ts'
import type { Disk, StorageDomain } from '../world/entities.ts'
import { updateOvfStore, vmsOn } from '../world/ovf-store.ts'
import type { World } from '../world/world.ts'
import { volumesOf } from './disks.ts'

/** Storage domains, what lies on them, and data centres. */
export const storageRoutes: Routes = {
  'GET /storagedomains': async (call) => {
    demandView(call)
    await refreshSpace(call.world)
    const domains = searched([...call.world.domains.values()], domainSearch(call.world), call.query)
    const elements = domains.map((domain) => domainElement(call.world, domain, call.filtered))
    return collection('storage_domains', 'storage_domain', elements)
  },
  'GET /storagedomains/{domain}': async (call) => {
    await refreshSpace(call.world)
    return ok('storage_domain', domainElement(call.world, domainIn(call), call.filtered))
  },
  'GET /storagedomains/{domain}/vms': (call) => {
    const { world } = call
    // Unregistered VMs are those of a domain that another engine wrote: this one has none.
    const vms = flag(call, 'unregistered') ? [] : vmsOn(world, domainIn(call))
    return collection(
      'vms',
      'vm',
      cut(call, vms).map((vm) => vmElement(world, vm)),
    )
  },
  'GET /storagedomains/{domain}/disks': (call) => {
    const disks = flag(call, 'unregistered') ? [] : disksOn(call.world, domainIn(call))
    return collection('disks', 'disk', cut(call, disks).map(diskElement))
  },
  'GET /storagedomains/{domain}/disksnapshots': (call) => {
    const domain = domainIn(call)
    const under = `/storagedomains/${domain.id}`
    const rows = disksOn(call.world, domain).flatMap((disk) => volumesOf(call, disk, under))
    return collection('disk_snapshots', 'disk_snapshot', rows)
  },
  'GET /storagedomains/{domain}/disksnapshots/{volume}': (call) => {
    const domain = domainIn(call)
    const id = idIn(call, 'volume')
    const disk = disksOn(call.world, domain).find((each) => each.volumes.some((volume) => volume.id === id))
    const volume = disk?.volumes.find((each) => each.id === id)
    return found(
      disk && volume && diskSnapshotElement(disk, volume, `/storagedomains/${domain.id}`),
      (element) => ok('disk_snapshot', element),
    )
  },
  'GET /storageconnections': ({ world }) =>
    collection('storage_connections', 'storage_connection', [...world.domains.values()].map(connection)),
  // A connection goes by its domain's id here.
  'GET /storageconnections/{domain}': (call) => ok('storage_connection', connection(domainIn(call))),
  'GET /storagedomains/{domain}/storageconnections': (call) =>
    collection('storage_connections', 'storage_connection', [connection(domainIn(call))]),
  'ACTION /storagedomains/{domain}/updateovfstore': (call) => {
    demand(call, 'manipulate_storage_domain')
    call.input('action')
    const domain = call.world.domains.get(idIn(call, 'domain'))
    if (domain === undefined) throw refused(400, 'Cannot update OVF Store. The storage domain is not found.')
    if (domain.status !== 'active' || domain.type !== 'data') {
      throw refused(409, "Cannot update OVF Store. The relevant Storage Domain's status is not active.")
    }
    return done(updateOvfStore(call.world, domain, call.issuer).job)
  },
  'GET /datacenters': (call) => {
    demandView(call)
    const dataCenters = searched(
      [...call.world.dataCenters.values()],
      dataCenterSearch(call.world),
      call.query,
    )
    return collection('data_centers', 'data_center', dataCenters.map(dataCenterElement))
  },
  'GET /datacenters/{dc}': (call) => {
    const dataCenter = call.world.dataCenters.get(idIn(call, 'dc'))
    if (dataCenter === undefined) throw new Missing()
    return ok('data_center', dataCenterElement(dataCenter))
  },
  'GET /datacenters/{dc}/storagedomains': async (call) => {
    await refreshSpace(call.world)
    const attached = [...call.world.domains.values()].filter(
      ({ dataCenter }) => dataCenter === idIn(call, 'dc'),
    )
    const elements = attached.map((domain) => attachedDomainElement(call.world, domain, call.filtered))
    return collection('storage_domains', 'storage_domain', elements)
  },
  'GET /datacenters/{dc}/storagedomains/{domain}/disks': (call) =>
    collection('disks', 'disk', disksOn(call.world, domainIn(call)).map(diskElement)),
  'GET /datacenters/{dc}/storagedomains/{domain}': async (call) => {
    await refreshSpace(call.world)
    const domain = domainIn(call)
    if (domain.dataCenter !== idIn(call, 'dc')) throw new Missing()
    return ok('storage_domain', attachedDomainElement(call.world, domain, call.filtered))
  },
}

function domainIn(call: Call): StorageDomain {
  const domain = call.world.domains.get(idIn(call, 'domain'))
  if (domain === undefined) throw new Missing()
  return domain
}

function disksOn(world: World, domain: StorageDomain): Disk[] {
  return [...world.disks.values()].filter((disk) => disk.domain === domain.id)
}

function cut<T>(call: Call, items: T[]): T[] {
  return items.slice(0, maxOf(call.query) ?? items.length)
}

async function refreshSpace(world: World): Promise<void> {
  for (const id of world.hostDomains) {
    const domain = world.domains.get(id)
    const space = await world.host.space(id).catch(() => undefined)
    if (domain && space) Object.assign(domain, space)
  }
}

function connection({ id, storage }: StorageDomain): Element {
  return {
    address: storage.address,
    path: storage.path,
    type: storage.type,
    href: `/storageconnections/${id}`,
    id,
  }
}
