import { type Call, collection, created, demand, demandView, ok } from '../api/call.ts'
import type { Routes } from '../api/router.ts'
import { eventElement } from '../api/trace-elements.ts'
import { maxOf, searched } from '../search/match.ts'
import { eventSearch } from '../search/searchables.ts'
import { ApiFault, incomplete, Missing } from '../wire/fault.ts'
import type { Input } from '../wire/parse-input.ts'
import { addExternalEvent } from '../world/events.ts'
import type { EventRefs, Severity } from '../world/records.ts'
import type { World } from '../world/world.ts'

const severities: readonly string[] = ['normal', 'warning', 'error', 'alert']
const externalStatuses = ['ok', 'info', 'warning', 'error', 'failure'] as const
const maxCustomId = 2 ** 31

/** The event log, newest first, and events from outside. */
export const eventRoutes: Routes = {
  'GET /events': (call) => {
    demandView(call)
    const from = Number(call.query.get('from') ?? call.params['from'] ?? 0)
    const after = call.world.events.slice(Number.isInteger(from) && from > 0 ? from : 0).reverse()
    const found = searched(after, eventSearch(call.world), call.query).slice(0, maxOf(call.query))
    return collection(
      'events',
      'event',
      found.map((event) => eventElement(call.world, event)),
    )
  },
  'POST /events': (call) => {
    const input = call.input('event')
    const external = externalIn(call, input)
    demand(call, 'inject_external_events')
    const event = addExternalEvent(call.world, external)
    paint(call.world, external.storageDomain, input['storage_domain'] as Input | undefined)
    return created('event', eventElement(call.world, event))
  },
  'GET /events/{event}': (call) => {
    const event = call.world.events[Number(call.params['event']) - 1]
    if (event === undefined) throw new Missing()
    return ok('event', eventElement(call.world, event))
  },
}

function externalIn(call: Call, input: Input) {
  const { origin, severity, custom_id: customId, description } = input
  const mandatory = { origin, severity, customId, description }
  const missing = Object.entries(mandatory).flatMap(([name, value]) => (value === undefined ? name : []))
  if (typeof origin !== 'string' || typeof description !== 'string' || missing.length > 0) {
    throw incomplete('Event', missing, 'add')
  }
  return {
    origin: origin.slice(0, 255),
    severity: severityOf(String(severity)),
    customId: customIdOf(Number(customId)),
    description,
    floodRate: input['flood_rate'] as number | undefined,
    customData: input['custom_data'] as string | undefined,
    correlationId:
      typeof input['correlation_id'] === 'string' ? input['correlation_id'] : call.issuer.correlationId,
    time: input['time'] as Date | undefined,
    user: call.user.id,
    ...refsIn(input),
  }
}

function severityOf(text: string): Severity {
  const severity = text.toLowerCase()
  if (!severities.includes(severity)) {
    throw new ApiFault(400, 'Invalid value', `${text} is not a member of LogSeverity`)
  }
  return severity as Severity
}

/** The column is a signed 32-bit integer. */
function customIdOf(id: number): number {
  if (id >= -maxCustomId && id < maxCustomId) return id
  throw new ApiFault(400, 'Request syntactically incorrect.', `custom_id ${id} is out of range`)
}

function refsIn(input: Input): EventRefs {
  const idOf = (name: string) => {
    const id = (input[name] as Input | undefined)?.['id']
    return typeof id === 'string' ? id : undefined
  }
  const refs = {
    vm: idOf('vm'),
    storageDomain: idOf('storage_domain'),
    host: idOf('host'),
    template: idOf('template'),
    cluster: idOf('cluster'),
    dataCenter: idOf('data_center'),
  }
  return Object.fromEntries(Object.entries(refs).filter(([, id]) => id !== undefined)) as EventRefs
}

/** An event may colour the storage domain it is about. */
function paint(world: World, domainId: string | undefined, given: Input | undefined): void {
  const domain = world.domains.get(domainId ?? '')
  const status = externalStatuses.find((each) => each === given?.['external_status'])
  if (domain && status) domain.externalStatus = status
}
