import { EngineError } from '../model/errors.ts'
import type { Announcement } from '../model/hypervisor.ts'
import type { Http } from './http.ts'

const longestText = 10_000
const largestNumber = 2 ** 31 - 1

/** Posts an event whose number is unique for ever under its origin, which makes the act repeatable. */
export async function announce(
  http: Http,
  origin: string,
  announcement: Announcement,
  number: number,
  signal: AbortSignal,
): Promise<void> {
  const doing = `post event ${number} to the engine`
  if (!Number.isInteger(number) || number < 0 || number > largestNumber) {
    throw new EngineError(`could not ${doing}: the number of an event has 31 bits`)
  }
  try {
    const body = { origin, ...eventOf(announcement, number) }
    await http.act({ method: 'POST', path: '/events', body, doing, repeatable: true }, signal)
  } catch (error) {
    if (!isThereAlready(error)) throw error
  }
}

// No flood_rate: with 0 the engine filters the event for 30 s and fails the call (EventFloodRegulator).
function eventOf({ severity, text, domain, clusterId }: Announcement, number: number): object {
  return {
    severity,
    custom_id: number,
    description: text.length > longestText ? `${text.slice(0, longestText - 3)}...` : text,
    ...(domain === undefined ? {} : { storage_domain: { id: domain.id } }),
    ...(domain?.dataCenterId === undefined ? {} : { data_center: { id: domain.dataCenterId } }),
    ...(clusterId === undefined ? {} : { cluster: { id: clusterId } }),
  }
}

// ACTION_TYPE_FAILED_EXTERNAL_EVENT_DUPLICATE_CUSTOM_ID, told as 400 like every wrong request.
function isThereAlready(error: unknown): boolean {
  return (
    error instanceof EngineError && error.status === 400 && /custom.id.*already exists/i.test(error.message)
  )
}
