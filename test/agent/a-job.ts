import type { ScheduleFacts } from '../../src/agent/schedule.ts'
import type { JobConfig } from '../../src/config/keys.ts'
import { windows } from '../../src/config/week-kinds.ts'

/** A job as it is without settings of its own, in UTC. */
export function aJob({
  blackout,
  ...set
}: Partial<Omit<JobConfig, 'blackout'>> & { blackout?: string } = {}): JobConfig {
  return {
    name: 'data',
    pairs: [{ primary: 'data', secondary: { host: 'dr1', volume: 'data-dr' } }],
    schedule: undefined,
    timeZone: 'UTC',
    rpoMs: undefined,
    marginPercent: 10,
    select: [{ by: 'all' }],
    exclude: undefined,
    excludeDisks: undefined,
    blackout: blackout === undefined ? undefined : windows.schema.decode(blackout),
    bandwidth: undefined,
    jitterMs: 0,
    catchUp: true,
    retryMs: 15 * minute,
    enabled: true,
    verify: undefined,
    fullEveryMs: undefined,
    timeoutMs: undefined,
    notify: undefined,
    ...set,
  }
}

export const minute = 60_000
export const hour = 60 * minute

/** What is known of a job whose first run has not been made. */
export function known(facts: Partial<ScheduleFacts> & { now: number }): ScheduleFacts {
  return { durationsMs: [], failures: 0, ...facts }
}

/** Epoch ms of a time in 2026, UTC unless it says otherwise: `10-25 02:00`. */
export function at(time: string): number {
  return Date.parse(`2026-${time.replace(' ', 'T')}Z`)
}

/** A moment as it stands in tests: `10-25 02:00`, with seconds where there are any. */
export function told(moment: number | undefined): string | undefined {
  return moment === undefined
    ? undefined
    : new Date(moment).toISOString().slice(5, 19).replace('T', ' ').replace(/:00$/, '')
}
