import { Cron } from 'croner'
import type { RouteConfig } from '../config/keys.ts'

/** When the route's summary is due next after that instant, by the wall clock of its time zone; undefined when it has none. */
export function nextDigest(
  { digest, timeZone }: Pick<RouteConfig, 'digest' | 'timeZone'>,
  after: number,
): number | undefined {
  if (digest === undefined) return undefined
  const { day = '*', minute } = digest
  const pattern = `${minute % 60} ${Math.floor(minute / 60)} * * ${day}`
  const cron = new Cron(pattern, { paused: true, ...(timeZone === undefined ? {} : { timezone: timeZone }) })
  return cron.nextRun(new Date(after))?.getTime()
}
