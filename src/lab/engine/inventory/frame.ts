import type { StorageDomain } from '../world/entities.ts'
import type { Ground } from './ground.ts'
import { newDisk } from './vms.ts'

/** A Gluster volume that a storage domain is mounted from. */
export interface GlusterSource {
  address: string
  volume: string
  mountOptions?: string
}

interface FrameOptions {
  gluster: GlusterSource
  domainName: string
  second: (GlusterSource & { domainName: string }) | undefined
}

// 128 MiB at a real engine; geo-replication would write every zero of it.
const ovfStoreBytes = 16 * 1024 * 1024

/** Data centre, cluster, hosts, network and storage domains: all that VMs stand on. */
export function addFrame(ground: Ground, { gluster, domainName, second }: FrameOptions): void {
  const { world, id } = ground
  world.dataCenters.set(id('dc'), { id: id('dc'), name: 'Default', status: 'up' })
  world.clusters.set(id('cluster'), { id: id('cluster'), name: 'Default', dataCenter: id('dc') })
  for (const name of ['host1', 'host2']) {
    const address = `${name}.example.com`
    world.hosts.set(id(name), {
      id: id(name),
      name,
      address,
      cluster: id('cluster'),
      status: 'up',
      spm: name === 'host1',
    })
  }
  const profile = { id: id('profile'), name: 'ovirtmgmt', description: '' }
  const network = { id: id('network'), name: 'ovirtmgmt', description: 'Management network' }
  world.networks.set(network.id, { ...network, dataCenter: id('dc'), profile })
  const group = { id: id('affinity'), name: 'together', description: '' }
  world.affinityGroups.set(group.id, { ...group, cluster: id('cluster') })
  addHostDomain(ground, { key: 'domain', stores: '' }, domainName, gluster)
  if (second) addHostDomain(ground, { key: 'domain2', stores: 'domain2/' }, second.domainName, second)
  const nfs = { type: 'nfs', address: 'nas.example.com' }
  addDomain(ground, 'domain-nfs', { name: 'archive', storage: { ...nfs, path: '/exports/archive' } })
  addDomain(ground, 'domain-hosted', { name: 'hosted_storage', storage: { ...nfs, path: '/exports/hosted' } })
  addDomain(ground, 'domain-iso', { name: 'iso', type: 'iso', storage: { ...nfs, path: '/exports/iso' } })
}

/** A domain whose volumes the host holds, with its two OVF_STORE disks. */
function addHostDomain(
  ground: Ground,
  { key: domainKey, stores }: { key: string; stores: string },
  name: string,
  { address, volume, mountOptions }: GlusterSource,
): void {
  const domain = addDomain(ground, domainKey, {
    name,
    master: ground.world.hostDomains.length === 0,
    storage: {
      type: 'glusterfs',
      address,
      path: `/${volume}`,
      vfsType: 'glusterfs',
      ...(mountOptions === undefined ? {} : { mountOptions }),
    },
  })
  ground.world.hostDomains.push(domain.id)
  for (const key of [`${stores}ovf-store1`, `${stores}ovf-store2`]) {
    const disk = newDisk(ground, key, { alias: 'OVF_STORE', domain: domain.id, sizeBytes: ovfStoreBytes })
    disk.contentType = 'ovf_store'
    domain.ovfStores.push(disk.id)
  }
}

function addDomain(
  { world, id }: Ground,
  key: string,
  given: Pick<StorageDomain, 'name' | 'storage'> & Partial<StorageDomain>,
): StorageDomain {
  const domain: StorageDomain = {
    id: id(key),
    type: 'data',
    dataCenter: id('dc'),
    status: 'active',
    externalStatus: 'ok',
    master: false,
    criticalSpaceGb: 5,
    totalBytes: 1024 ** 4,
    freeBytes: 1024 ** 4 / 2,
    ovfStores: [],
    ovfWritten: new Map(),
    locked: false,
    ...given,
  }
  world.domains.set(domain.id, domain)
  return domain
}
