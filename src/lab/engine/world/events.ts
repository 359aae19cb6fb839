import { refused } from '../wire/fault.ts'
import type { Vm } from './entities.ts'
import type { Issuer } from './jobs.ts'
import type { Event, EventRefs, Severity } from './records.ts'
import type { World } from './world.ts'

export interface ExternalEvent extends EventRefs {
  origin: string
  severity: Severity
  customId: number
  description: string
  floodRate: number | undefined
  customData: string | undefined
  correlationId: string
  time: Date | undefined
}

const externalCodes: Readonly<Record<Severity, number>> = {
  normal: 9801,
  warning: 9802,
  error: 9803,
  alert: 9804,
}
const severities: Readonly<Record<number, Severity>> = {
  69: 'error',
  117: 'error',
  138: 'error',
  139: 'error',
  145: 'error',
  170: 'warning',
  343: 'error',
  357: 'error',
  359: 'warning',
  119: 'error',
  146: 'error',
  1016: 'warning',
  2011: 'error',
  10764: 'warning',
  10765: 'warning',
  10774: 'warning',
}
const floodWindowMs = 30_000

/** Logs an event of the engine's own; its severity follows from the code. */
export function logEvent(
  world: World,
  code: number,
  description: string,
  refs: EventRefs,
  issuer?: Pick<Issuer, 'user' | 'correlationId'>,
): Event {
  return append(world, {
    code,
    severity: severities[code] ?? 'normal',
    description,
    time: world.clock.now(),
    correlationId: issuer?.correlationId ?? '',
    origin: 'oVirt',
    customId: -1,
    floodRate: 30,
    customData: undefined,
    ...(issuer === undefined ? {} : { user: issuer.user }),
    ...refs,
  })
}

/** What an event about a VM refers to. */
export function refsOf({ id, cluster, host }: Vm): EventRefs {
  return { vm: id, cluster, ...(host === undefined ? {} : { host }) }
}

/** Takes an event from outside; the pair of origin and custom id is unique for ever. */
export function addExternalEvent(world: World, given: ExternalEvent): Event {
  const cannot = 'Cannot add External Event.'
  if (given.origin.toLowerCase() === 'ovirt') {
    throw refused(400, `${cannot} Illegal Origin for External Event : oVirt`)
  }
  const key = JSON.stringify([given.origin, given.customId])
  if (world.externalEventKeys.has(key)) {
    throw refused(400, `${cannot} External Event with this custom id already exists.`)
  }
  const code = externalCodes[given.severity]
  const time = world.clock.now()
  // Flood rate 0 falls back to the engine's own 30 s filter, and a filtered event fails the command (EventFloodRegulator).
  if (given.floodRate === 0 && isFlood(world, code, given, time)) throw refused(400, 'Internal Engine Error')
  world.externalEventKeys.add(key)
  return append(world, {
    ...given,
    code,
    time: given.time ?? time,
    description: given.description.slice(0, 10_000),
    floodRate: given.floodRate ?? 30,
  })
}

function isFlood(world: World, code: number, refs: EventRefs, now: Date): boolean {
  const since = now.getTime() - floodWindowMs
  return world.events.some(
    (event) =>
      event.code === code &&
      event.time.getTime() > since &&
      event.vm === refs.vm &&
      event.storageDomain === refs.storageDomain,
  )
}

function append(world: World, event: Omit<Event, 'index'>): Event {
  const indexed = { ...event, index: world.events.length + 1 }
  world.events.push(indexed)
  return indexed
}
