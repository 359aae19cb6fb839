import { actionsOf, type Element, linksOf, refTo } from '../wire/element.ts'
import type { Cluster, Host, Named, Role, Tag, User } from '../world/entities.ts'
import { seededUuid } from '../world/ids.ts'
import type { AffinityGroup, Network, World } from '../world/world.ts'

export function clusterElement(cluster: Cluster): Element {
  const href = `/clusters/${cluster.id}`
  return {
    actions: actionsOf(href, ['resetemulatedmachine', 'syncallnetworks', 'upgrade']),
    name: cluster.name,
    description: '',
    comment: '',
    link: linksOf(href, ['networks', 'permissions', 'affinitygroups', 'glustervolumes', 'cpuprofiles']),
    ballooning_enabled: true,
    bios_type: 'q35_sea_bios',
    cpu: { architecture: 'x86_64', type: 'Intel Westmere Family' },
    gluster_service: true,
    virt_service: true,
    version: { major: 4, minor: 7 },
    data_center: refTo('/datacenters', cluster.dataCenter),
    href,
    id: cluster.id,
  }
}

export function hostElement(world: World, host: Host): Element {
  const href = `/hosts/${host.id}`
  const running = [...world.vms.values()].filter((vm) => vm.host === host.id).length
  return {
    actions: actionsOf(href, ['activate', 'deactivate', 'fence', 'forceselectspm', 'install', 'refresh']),
    name: host.name,
    comment: '',
    link: linksOf(href, ['storage', 'nics', 'permissions', 'statistics', 'tags', 'hooks']),
    address: host.address,
    external_status: 'ok',
    port: 54321,
    spm: { priority: 5, status: host.spm ? 'spm' : 'none' },
    status: host.status,
    summary: { active: running, migrating: 0, total: running },
    type: 'ovirt_node',
    version: { build: 100, full_version: 'vdsm-4.50.5.1-1.el9', major: 4, minor: 50, revision: 5 },
    cluster: refTo('/clusters', host.cluster),
    href,
    id: host.id,
  }
}

export function tagElement(tag: Tag): Element {
  return { ...tagFields(tag), ...refTo('/tags', tag.id) }
}

/** A tag as it is put on a VM. */
export function assignedTagElement(tag: Tag, vm: string): Element {
  return { ...tagFields(tag), vm: refTo('/vms', vm), ...refTo(`/vms/${vm}/tags`, tag.id) }
}

function tagFields({ name, description, parent }: Tag): Element {
  return { name, description, ...(parent === undefined ? {} : { parent: refTo('/tags', parent) }) }
}

export function templateElement(world: World, template: Named): Element {
  const cluster = [...world.clusters.keys()][0]
  const href = `/templates/${template.id}`
  return {
    name: template.name,
    description: template.description,
    comment: '',
    link: linksOf(href, ['diskattachments', 'nics', 'permissions', 'tags']),
    creation_time: world.started,
    memory: 1024 ** 3,
    origin: 'ovirt',
    status: 'ok',
    type: 'server',
    version: { version_name: 'base version', version_number: 1 },
    ...(cluster === undefined ? {} : { cluster: refTo('/clusters', cluster) }),
    href,
    id: template.id,
  }
}

export function networkElement(network: Network): Element {
  const href = `/networks/${network.id}`
  return {
    name: network.name,
    description: network.description,
    comment: '',
    link: linksOf(href, ['vnicprofiles', 'permissions', 'networklabels']),
    mtu: 0,
    stp: false,
    usages: { usage: ['vm'] },
    data_center: refTo('/datacenters', network.dataCenter),
    href,
    id: network.id,
  }
}

export function profileElement(network: Network): Element {
  return {
    name: network.profile.name,
    pass_through: { mode: 'disabled' },
    port_mirroring: false,
    network: refTo('/networks', network.id),
    ...refTo('/vnicprofiles', network.profile.id),
  }
}

export function affinityGroupElement(group: AffinityGroup): Element {
  return {
    name: group.name,
    description: group.description,
    enforcing: false,
    positive: true,
    cluster: refTo('/clusters', group.cluster),
    ...refTo(`/clusters/${group.cluster}/affinitygroups`, group.id),
  }
}

export function userElement(user: User): Element {
  const href = `/users/${user.id}`
  return {
    name: user.principal,
    link: linksOf(href, ['roles', 'permissions', 'tags', 'sshpublickeys', 'options']),
    department: '',
    email: '',
    last_name: '',
    namespace: '*',
    principal: user.principal,
    user_name: `${user.principal}@${user.domain}`,
    domain: { name: user.domain, ...refTo('/domains', domainId(user.domain)) },
    href,
    id: user.id,
  }
}

export function domainId(name: string): string {
  return seededUuid('aaa', name)
}

export function roleElement(role: Role): Element {
  const href = `/roles/${role.id}`
  return {
    name: role.name,
    description: role.description,
    link: linksOf(href, ['permits']),
    administrative: role.administrative,
    mutable: false,
    href,
    id: role.id,
  }
}

export function permitElement(role: Role, name: string, index: number): Element {
  return {
    name,
    administrative: role.administrative,
    role: refTo('/roles', role.id),
    ...refTo(`/roles/${role.id}/permits`, String(index + 1)),
  }
}

/** Every user has one permission: the role, system-wide. */
export function permissionElement(user: User): Element {
  return {
    role: refTo('/roles', user.role),
    user: refTo('/users', user.id),
    ...refTo('/permissions', seededUuid('permission', user.id)),
  }
}
