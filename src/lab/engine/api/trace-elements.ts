import { actionsOf, type Element, linksOf, refTo } from '../wire/element.ts'
import type { Event, Job, Step } from '../world/records.ts'
import type { World } from '../world/world.ts'

export function jobElement(job: Job): Element {
  const href = `/jobs/${job.id}`
  return {
    actions: actionsOf(href, ['clear', 'end']),
    description: job.description,
    link: linksOf(href, ['steps']),
    auto_cleared: job.autoCleared,
    external: job.external,
    last_updated: job.updated,
    start_time: job.started,
    ...(job.ended === undefined ? {} : { end_time: job.ended }),
    status: job.status,
    ...(job.owner === '' ? {} : { owner: refTo('/users', job.owner) }),
    href,
    id: job.id,
  }
}

export function stepElement(job: Job, step: Step): Element {
  const steps = `/jobs/${job.id}/steps`
  const href = `${steps}/${step.id}`
  return {
    actions: actionsOf(href, ['end']),
    description: step.description,
    link: linksOf(href, ['statistics']),
    external: step.external,
    number: step.number,
    start_time: step.started,
    ...(step.ended === undefined ? {} : { end_time: step.ended }),
    status: step.status,
    type: step.type,
    job: refTo('/jobs', job.id),
    ...(step.parent === undefined ? {} : { parent_step: refTo(steps, step.parent) }),
    href,
    id: step.id,
  }
}

export function eventElement(world: World, event: Event): Element {
  const id = String(event.index)
  const named = (path: string, ref: string | undefined, name: string | undefined): Element | undefined =>
    ref === undefined || ref === '' ? undefined : { ...refTo(path, ref), name }
  return {
    description: event.description,
    code: event.code,
    ...(event.correlationId === '' ? {} : { correlation_id: event.correlationId }),
    ...(event.customData === undefined ? {} : { custom_data: event.customData }),
    custom_id: event.customId,
    flood_rate: event.floodRate,
    index: event.index,
    origin: event.origin,
    severity: event.severity,
    time: event.time,
    cluster: named('/clusters', event.cluster, world.clusters.get(event.cluster ?? '')?.name),
    data_center: named('/datacenters', event.dataCenter, world.dataCenters.get(event.dataCenter ?? '')?.name),
    host: named('/hosts', event.host, world.hosts.get(event.host ?? '')?.name),
    storage_domain: named(
      '/storagedomains',
      event.storageDomain,
      world.domains.get(event.storageDomain ?? '')?.name,
    ),
    template: named('/templates', event.template, world.templates.get(event.template ?? '')?.name),
    user: named('/users', event.user, world.users.get(event.user ?? '')?.login),
    vm: named('/vms', event.vm, world.vms.get(event.vm ?? '')?.name),
    href: `/events/${id}`,
    id,
  }
}
