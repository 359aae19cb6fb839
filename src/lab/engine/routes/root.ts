import { ok } from '../api/call.ts'
import type { Routes } from '../api/router.ts'
import { type Element, refTo } from '../wire/element.ts'
import { seededUuid, zeroId } from '../world/ids.ts'
import type { World } from '../world/world.ts'

const searchable = [
  'clusters',
  'datacenters',
  'hosts',
  'networks',
  'storagedomains',
  'templates',
  'users',
  'vms',
  'disks',
]
const plain = ['roles', 'tags', 'domains', 'jobs', 'vnicprofiles', 'permissions', 'affinitylabels']

/** The API's entry point. */
export const rootRoutes: Routes = {
  'GET /': ({ world, user }) =>
    ok('api', {
      link: entryLinks(),
      product_info: {
        instance_id: seededUuid('engine', 'instance'),
        name: 'oVirt Engine',
        vendor: 'ovirt.org',
        version: versionElement(world.settings.version),
      },
      special_objects: { blank_template: refTo('/templates', zeroId), root_tag: refTo('/tags', zeroId) },
      summary: summary(world),
      time: world.clock.now(),
      authenticated_user: refTo('/users', user.id),
      effective_user: refTo('/users', user.id),
    }),
}

function entryLinks(): Element[] {
  const link = (rel: string, path = rel): Element => ({ href: `/${path}`, rel })
  return [
    ...searchable.flatMap((name) => [link(name), link(`${name}/search`, `${name}?search={query}`)]),
    link('events'),
    link('events/search', 'events;from={event_id}?search={query}'),
    ...plain.map((name) => link(name)),
  ]
}

/** `4.5.6-1.el9`; the revision is 0 unless the version has a fourth number. */
function versionElement(full: string): Element {
  const [major = 4, minor = 0, build = 0, revision = 0] = (full.split('-')[0] ?? '').split('.').map(Number)
  return { build, full_version: full, major, minor, revision }
}

function summary(world: World): Element {
  const count = <T>(all: ReadonlyMap<string, T>, isActive: (item: T) => boolean): Element => {
    const items = [...all.values()]
    return { active: items.filter(isActive).length, total: items.length }
  }
  return {
    hosts: count(world.hosts, ({ status }) => status === 'up'),
    storage_domains: count(world.domains, ({ status }) => status === 'active'),
    users: count(world.users, () => true),
    vms: count(world.vms, ({ status }) => status !== 'down'),
  }
}
