import { type Call, collection, idIn, ok } from '../api/call.ts'
import {
  affinityGroupElement,
  clusterElement,
  hostElement,
  networkElement,
  profileElement,
  templateElement,
} from '../api/infra-elements.ts'
import { found, list, one } from '../api/list.ts'
import type { Routes } from '../api/router.ts'
import { clusterSearch, hostSearch, namedSearch } from '../search/searchables.ts'

/** Clusters, hosts, templates and networks: things that are only read. */
export const infraRoutes: Routes = {
  'GET /clusters': (call) =>
    list(call, ['clusters', 'cluster'], call.world.clusters, clusterSearch(call.world), clusterElement),
  'GET /clusters/{id}': (call) => one(call, 'cluster', call.world.clusters, clusterElement),
  'GET /clusters/{id}/affinitygroups': (call) => {
    const cluster = idIn(call, 'id')
    const groups = [...call.world.affinityGroups.values()].filter((group) => group.cluster === cluster)
    return collection('affinity_groups', 'affinity_group', groups.map(affinityGroupElement))
  },
  'GET /clusters/{id}/affinitygroups/{group}': (call) =>
    found(call.world.affinityGroups.get(idIn(call, 'group')), (group) =>
      ok('affinity_group', affinityGroupElement(group)),
    ),
  'GET /clusters/{id}/networks': (call) =>
    networksOf(call, call.world.clusters.get(idIn(call, 'id'))?.dataCenter),
  'GET /datacenters/{dc}/networks': (call) => networksOf(call, idIn(call, 'dc')),
  'GET /datacenters/{dc}/clusters': (call) => {
    const dc = idIn(call, 'dc')
    const clusters = [...call.world.clusters.values()].filter(({ dataCenter }) => dataCenter === dc)
    return collection('clusters', 'cluster', clusters.map(clusterElement))
  },
  'GET /hosts': (call) =>
    list(call, ['hosts', 'host'], call.world.hosts, hostSearch(call.world), (host) =>
      hostElement(call.world, host),
    ),
  'GET /hosts/{id}': (call) => one(call, 'host', call.world.hosts, (host) => hostElement(call.world, host)),
  'GET /templates': (call) =>
    list(call, ['templates', 'template'], call.world.templates, namedSearch, (template) =>
      templateElement(call.world, template),
    ),
  'GET /templates/{id}': (call) =>
    one(call, 'template', call.world.templates, (template) => templateElement(call.world, template)),
  'GET /networks': (call) =>
    list(call, ['networks', 'network'], call.world.networks, namedSearch, networkElement),
  'GET /networks/{id}': (call) => one(call, 'network', call.world.networks, networkElement),
  'GET /networks/{id}/vnicprofiles': (call) => {
    const network = call.world.networks.get(idIn(call, 'id'))
    return collection('vnic_profiles', 'vnic_profile', network ? [profileElement(network)] : [])
  },
  'GET /vnicprofiles': ({ world }) =>
    collection('vnic_profiles', 'vnic_profile', [...world.networks.values()].map(profileElement)),
  'GET /vnicprofiles/{id}': (call) => {
    const id = idIn(call, 'id')
    const network = [...call.world.networks.values()].find(({ profile }) => profile.id === id)
    return found(network, (each) => ok('vnic_profile', profileElement(each)))
  },
}

function networksOf(call: Call, dc: string | undefined) {
  const networks = [...call.world.networks.values()].filter(({ dataCenter }) => dataCenter === dc)
  return collection('networks', 'network', networks.map(networkElement))
}
