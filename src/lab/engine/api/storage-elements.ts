import { actionsOf, type Element, linksOf, refTo } from '../wire/element.ts'
import type { DataCenter, StorageDomain } from '../world/entities.ts'
import type { World } from '../world/world.ts'

const domainActions = ['isattached', 'updateovfstore', 'refreshluns', 'reduceluns']
const dataLinks = [
  'diskprofiles',
  'disks',
  'storageconnections',
  'permissions',
  'templates',
  'vms',
  'disksnapshots',
]
const otherLinks: Readonly<Record<StorageDomain['type'], readonly string[]>> = {
  data: dataLinks,
  iso: ['permissions', 'storageconnections', 'files'],
  export: ['permissions', 'storageconnections', 'templates', 'vms'],
  image: ['diskprofiles', 'permissions', 'disksnapshots', 'images'],
}

/** A storage domain at the top level: a status only if unattached; its storage is hidden from filtered sessions. */
export function domainElement(world: World, domain: StorageDomain, filtered: boolean): Element {
  const href = `/storagedomains/${domain.id}`
  return {
    actions: actionsOf(href, domainActions),
    ...fields(world, domain, filtered),
    link: linksOf(href, otherLinks[domain.type]),
    ...(domain.dataCenter === undefined
      ? { status: 'unattached' }
      : { data_centers: { data_center: [refTo('/datacenters', domain.dataCenter)] } }),
    href,
    id: domain.id,
  }
}

/** A storage domain as attached to a data centre: here its real status shows. */
export function attachedDomainElement(world: World, domain: StorageDomain, filtered: boolean): Element {
  const href = `/datacenters/${domain.dataCenter ?? ''}/storagedomains/${domain.id}`
  return {
    actions: actionsOf(href, ['activate', 'deactivate']),
    ...fields(world, domain, filtered),
    link: linksOf(href, ['disks']),
    status: domain.status,
    ...(domain.dataCenter === undefined ? {} : { data_center: refTo('/datacenters', domain.dataCenter) }),
    href,
    id: domain.id,
  }
}

function fields(world: World, domain: StorageDomain, filtered: boolean): Element {
  const committed = [...world.disks.values()]
    .filter((disk) => disk.domain === domain.id)
    .reduce((sum, disk) => sum + disk.sizeBytes, 0)
  return {
    name: domain.name,
    description: '',
    comment: '',
    available: domain.freeBytes,
    backup: false,
    block_size: 512,
    committed,
    critical_space_action_blocker: domain.criticalSpaceGb,
    discard_after_delete: false,
    external_status: domain.externalStatus,
    master: domain.master,
    ...(filtered ? {} : { storage: storageFields(domain) }),
    storage_format: domain.type === 'data' ? 'v5' : 'v1',
    supports_discard: false,
    supports_discard_zeroes_data: false,
    type: domain.type,
    used: domain.totalBytes - domain.freeBytes,
    warning_low_space_indicator: 10,
    wipe_after_delete: false,
  }
}

function storageFields({ storage }: StorageDomain): Element {
  return {
    address: storage.address,
    ...(storage.mountOptions === undefined ? {} : { mount_options: storage.mountOptions }),
    path: storage.path,
    type: storage.type,
    ...(storage.vfsType === undefined ? {} : { vfs_type: storage.vfsType }),
  }
}

export function dataCenterElement(dataCenter: DataCenter): Element {
  const href = `/datacenters/${dataCenter.id}`
  return {
    actions: actionsOf(href, ['cleanfinishedtasks', 'setmaster']),
    name: dataCenter.name,
    description: '',
    comment: '',
    link: linksOf(href, [
      'storagedomains',
      'clusters',
      'networks',
      'permissions',
      'quotas',
      'qoss',
      'iscsibonds',
    ]),
    local: false,
    quota_mode: 'disabled',
    status: dataCenter.status,
    storage_format: 'v5',
    supported_versions: { version: [{ major: 4, minor: 7 }] },
    version: { major: 4, minor: 7 },
    href,
    id: dataCenter.id,
  }
}
