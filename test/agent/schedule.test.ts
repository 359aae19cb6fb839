import fc from 'fast-check'
import { expect, test } from 'vitest'
import { missedStarts, scheduleOf } from '../../src/agent/schedule.ts'
import { isOpen, type Window } from '../../src/model/window.ts'
import { aJob, at, hour, known, minute } from './a-job.ts'

const times = fc.integer({ min: at('01-01 00:00'), max: at('12-31 00:00') })
const zones = fc.constantFrom('UTC', 'Europe/Vienna', 'America/New_York', 'Australia/Lord_Howe')
const expressions = fc.constantFrom(
  '0 */4 * * *',
  '*/7 * * * *',
  '30 2 * * *',
  '0 1-3,14 * * 1-5',
  '0 0 1 * *',
)
const jitters = fc.constantFrom(0, 1, 90_000, 45 * minute, 5 * hour)
/** Part of a week, never all of it: one to six hours on some days. */
const blackouts = fc.array(
  fc.record({
    days: fc.subarray([0, 1, 2, 3, 4, 5, 6], { minLength: 1 }),
    from: fc.integer({ min: 0, max: 1439 }),
    length: fc.integer({ min: 1, max: 360 }),
  }),
  { maxLength: 3 },
)

function windowsOf(drawn: { days: number[]; from: number; length: number }[]): Window[] {
  return drawn.map(({ days, from, length }) => ({ days, from, to: ((from + length - 1) % 1440) + 1 }))
}

test('without a schedule and an RPO, or when it is not enabled, a job starts by hand', () => {
  expect(scheduleOf(aJob())).toBeUndefined()
  expect(scheduleOf(aJob({ schedule: '0 * * * *', enabled: false }))).toBeUndefined()
  expect(scheduleOf(aJob({ rpoMs: 4 * hour, enabled: false }))).toBeUndefined()
  expect(scheduleOf(aJob({ rpoMs: 4 * hour, schedule: '0 * * * *' }))?.byClock).toBe(true)
  expect(scheduleOf(aJob({ rpoMs: 4 * hour }))?.words).toBe('by RPO of 4 h')
})

test('by cron, a start comes after what was asked for, in no blackout, and no later than jitter allows', () => {
  fc.assert(
    fc.property(
      expressions,
      zones,
      jitters,
      blackouts,
      times,
      (schedule, timeZone, jitterMs, drawn, after) => {
        const windows = windowsOf(drawn)
        const job = { ...aJob({ schedule, timeZone, jitterMs }), blackout: windows }
        const due = scheduleOf(job)?.next(after, known({ now: after }))
        expect(due?.at).toBeGreaterThan(after)
        const begun = due?.at ?? 0
        expect(windows.some((window) => isOpen(window, begun, timeZone))).toBe(false)
        const sharp = scheduleOf({ ...job, jitterMs: 0 })
        const planned = [
          sharp?.next(begun - jitterMs - 1, known({ now: begun - jitterMs - 1 }))?.at ?? Infinity,
        ]
        expect(Math.min(...planned)).toBeLessThanOrEqual(begun)
      },
    ),
  )
})

test('a start that is due is never due while no run may start', () => {
  const kinds = fc.constantFrom({ schedule: '*/20 * * * *' }, { rpoMs: 2 * hour }, { rpoMs: 30 * hour })
  const pasts = fc.integer({ min: 0, max: 50 * hour })
  fc.assert(
    fc.property(
      kinds,
      zones,
      jitters,
      blackouts,
      times,
      pasts,
      (kind, timeZone, jitterMs, drawn, now, past) => {
        const windows = windowsOf(drawn)
        const lastRun = {
          startedAt: now - past,
          finishedAt: now - past + 60_000,
          outcome: 'protected' as const,
        }
        const facts = known({ now, lastRun, provedAsOf: now - past, durationsMs: [20 * minute] })
        const job = { ...aJob({ ...kind, timeZone, jitterMs }), blackout: windows }
        const due = scheduleOf(job)?.next(now - past, facts)
        const begun = Math.max(now, due?.at ?? 0)
        expect(windows.some((window) => isOpen(window, begun, timeZone))).toBe(false)
      },
    ),
  )
})

test('counts the starts that were missed, up to a thousand', () => {
  const hourly = scheduleOf(aJob({ schedule: '0 * * * *', blackout: '08:00-18:00' }))
  const byRpo = scheduleOf(aJob({ rpoMs: hour }))
  const often = scheduleOf(aJob({ schedule: '* * * * *' }))
  if (hourly === undefined || byRpo === undefined || often === undefined)
    throw new Error('there is no schedule')
  expect(missedStarts(hourly, at('06-01 05:00'), at('06-01 20:30'))).toBe(5)
  expect(missedStarts(hourly, at('06-01 05:00'), at('06-01 05:59'))).toBe(0)
  expect(missedStarts(byRpo, at('06-01 05:00'), at('06-09 05:00'))).toBe(0)
  expect(missedStarts(often, at('06-01 05:00'), at('06-09 05:00'))).toBe(1000)
})
