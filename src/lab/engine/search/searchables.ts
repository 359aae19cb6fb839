import { hasIllegalImages, imagesOf } from '../world/disk-state.ts'
import type { Cluster, DataCenter, Disk, Host, Named, StorageDomain, User, Vm } from '../world/entities.ts'
import type { Event, Job } from '../world/records.ts'
import { searchedNames } from '../world/tags.ts'
import type { World } from '../world/world.ts'
import type { Searchable } from './match.ts'

/** The fields and cross references by which VMs are searched. */
export function vmSearch(world: World): Searchable<Vm> {
  const cluster = (vm: Vm) => world.clusters.get(vm.cluster)
  const dataCenter = (vm: Vm) => world.dataCenters.get(cluster(vm)?.dataCenter ?? '')?.name
  const domains = (vm: Vm) =>
    imagesOf(world, vm).flatMap((disk) => world.domains.get(disk.domain ?? '') ?? [])
  const domainNames = (vm: Vm) => domains(vm).map(({ name }) => name)
  const host = (vm: Vm) => world.hosts.get(vm.host ?? '')?.name
  return {
    text: ['name', 'description', 'id'],
    exact: ['tag'],
    fields: {
      id: ({ id }) => id,
      name: ({ name }) => name,
      description: ({ description }) => description,
      comment: () => '',
      status: ({ status }) => [status, status.replaceAll('_', '')],
      tag: ({ tags }) => searchedNames(world, tags),
      cluster: (vm) => cluster(vm)?.name,
      'cluster.name': (vm) => cluster(vm)?.name,
      datacenter: dataCenter,
      'datacenter.name': dataCenter,
      storage: domainNames,
      'storage.name': domainNames,
      'storage.id': (vm) => domains(vm).map(({ id }) => id),
      'storage.status': (vm) => domains(vm).map(({ status }) => status),
      host,
      on_host: host,
      'host.name': host,
      os: () => 'other',
      type: () => 'server',
      memory: ({ memoryBytes }) => memoryBytes / 1024 ** 2,
      creationdate: ({ created }) => created,
      fqdn: (vm) => (vm.guestAgent ? `${vm.name}.example.com` : ''),
      has_illegal_images: (vm) => hasIllegalImages(world, vm),
      next_run_config_exists: () => false,
    },
  }
}

export function domainSearch(world: World): Searchable<StorageDomain> {
  return {
    text: ['name', 'id'],
    fields: {
      id: ({ id }) => id,
      name: ({ name }) => name,
      comment: () => '',
      description: () => '',
      status: ({ status }) => status,
      external_status: ({ externalStatus }) => externalStatus,
      type: ({ storage }) => storage.type,
      datacenter: ({ dataCenter }) => world.dataCenters.get(dataCenter ?? '')?.name,
      'datacenter.name': ({ dataCenter }) => world.dataCenters.get(dataCenter ?? '')?.name,
    },
  }
}

export function diskSearch(world: World): Searchable<Disk> {
  return {
    text: ['alias', 'description', 'id'],
    fields: {
      id: ({ id }) => id,
      alias: ({ alias }) => alias,
      name: ({ alias }) => alias,
      description: ({ description }) => description,
      status: ({ status }) => status,
      disk_type: ({ storageType }) => storageType,
      format: (disk) => disk.volumes.at(-1)?.format,
      provisioned_size: ({ sizeBytes }) => sizeBytes / 1024 ** 3,
      'storage.name': ({ domain }) => world.domains.get(domain ?? '')?.name,
      storage: ({ domain }) => world.domains.get(domain ?? '')?.name,
      'vm.name': ({ vms }) => [...vms].flatMap((id) => world.vms.get(id)?.name ?? []),
      vm_names: ({ vms }) => [...vms].flatMap((id) => world.vms.get(id)?.name ?? []),
      number_of_vms: ({ vms }) => vms.size,
    },
  }
}

export function hostSearch(world: World): Searchable<Host> {
  const cluster = (host: Host) => world.clusters.get(host.cluster)
  const dataCenter = (host: Host) => world.dataCenters.get(cluster(host)?.dataCenter ?? '')?.name
  return {
    text: ['name', 'address'],
    fields: {
      id: ({ id }) => id,
      name: ({ name }) => name,
      status: ({ status }) => status,
      address: ({ address }) => address,
      hostname: ({ address }) => address,
      cluster: (host) => cluster(host)?.name,
      datacenter: dataCenter,
    },
  }
}

export const jobSearch: Searchable<Job> = {
  text: ['correlation_id'],
  fields: { correlation_id: ({ correlationId }) => correlationId },
}

export function eventSearch(world: World): Searchable<Event> {
  return {
    text: ['message'],
    fields: {
      severity: ({ severity }) => severity,
      type: ({ code }) => code,
      message: ({ description }) => description,
      correlation_id: ({ correlationId }) => correlationId,
      time: ({ time }) => time,
      origin: ({ origin }) => origin,
      custom_event_id: ({ customId }) => customId,
      event_vm: ({ vm }) => world.vms.get(vm ?? '')?.name,
      event_storage: ({ storageDomain }) => world.domains.get(storageDomain ?? '')?.name,
      'vms.name': ({ vm }) => world.vms.get(vm ?? '')?.name,
    },
  }
}

export function clusterSearch(world: World): Searchable<Cluster> {
  return {
    text: ['name'],
    fields: {
      id: ({ id }) => id,
      name: ({ name }) => name,
      datacenter: ({ dataCenter }) => world.dataCenters.get(dataCenter)?.name,
      'datacenter.name': ({ dataCenter }) => world.dataCenters.get(dataCenter)?.name,
    },
  }
}

export function dataCenterSearch(world: World): Searchable<DataCenter> {
  const names = ({ id }: DataCenter) =>
    [...world.domains.values()].filter(({ dataCenter }) => dataCenter === id).map(({ name }) => name)
  return {
    text: ['name'],
    fields: {
      id: ({ id }) => id,
      name: ({ name }) => name,
      status: ({ status }) => status,
      storage: names,
      'storage.name': names,
    },
  }
}

export const userSearch: Searchable<User> = {
  text: ['usrname'],
  fields: {
    id: ({ id }) => id,
    usrname: ({ login }) => login,
    name: ({ principal }) => principal,
    directory: ({ domain }) => domain,
  },
}

export const namedSearch: Searchable<Named> = {
  text: ['name'],
  fields: { id: ({ id }) => id, name: ({ name }) => name, description: ({ description }) => description },
}
