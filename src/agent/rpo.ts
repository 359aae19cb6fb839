import { known } from '../model/known.ts'
import type { VmStanding } from './standing.ts'
import type { VmView } from './view.ts'

/** What is expected of the job's next run, or of the one that is going on. */
export interface Expectation {
  /** Epoch milliseconds. */
  startAt?: number
  /** When it will have proved a newer point, as far as can be told. */
  endAt?: number
}

/** How a VM stands against its RPO. */
export interface RpoVerdict {
  rpo: VmView['rpo']
  /** Epoch milliseconds; of what is lost, when it was. */
  breachAt?: number
  forecast?: VmView['forecast']
}

/**
 * Judges the age of a VM's newest proved recovery point. One that was never protected counts from when it was first seen. `warnPercent`: how much of
 * the RPO may be left before a run that would end too late is warned of.
 */
export function judgeRpo(
  { rpoMs, firstSeenAt }: { rpoMs?: number | undefined; firstSeenAt: number },
  { state, provedAsOf = firstSeenAt, lostAt = Number.POSITIVE_INFINITY }: VmStanding,
  { startAt, endAt }: Expectation,
  now: number,
  warnPercent: number,
): RpoVerdict {
  if (rpoMs === undefined || state === 'not selected' || state === 'left out') return { rpo: 'none' }
  const breachAt = Math.min(lostAt, provedAsOf + rpoMs)
  const forecast = forecastOf(endAt, breachAt)
  const judged = known({ breachAt, forecast })
  if (now >= breachAt) return { rpo: 'breach', ...judged }
  const nearly = breachAt - now <= (rpoMs * warnPercent) / 100
  // Of the first run that goes on nobody knows how long it will take.
  const hopeful = forecast === 'in time' || (endAt === undefined && startAt !== undefined && startAt <= now)
  return { rpo: nearly && !hopeful ? 'warning' : 'ok', ...judged }
}

function forecastOf(endAt: number | undefined, breachAt: number): VmView['forecast'] {
  if (endAt === undefined) return undefined
  return endAt <= breachAt ? 'in time' : 'late'
}
