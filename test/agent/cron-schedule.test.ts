import { expect, test } from 'vitest'
import { type Schedule, scheduleOf } from '../../src/agent/schedule.ts'
import { aJob, at, hour, known, minute, told } from './a-job.ts'

function scheduled(set: Parameters<typeof aJob>[0]): Schedule {
  const schedule = scheduleOf(aJob(set))
  if (schedule === undefined) throw new Error('there is no schedule')
  return schedule
}

/** The starts after a time, each asked for when the one before it has come. */
function starts(schedule: Schedule, from: string, count: number): (string | undefined)[] {
  const found: (string | undefined)[] = []
  for (let after = at(from); found.length < count; ) {
    const due = schedule.next(after, known({ now: after }))
    found.push(told(due?.at))
    after = due?.at ?? Number.POSITIVE_INFINITY
  }
  return found
}

const vienna = 'Europe/Vienna'
const newYork = 'America/New_York'

test.each([
  // Vienna: 02:00 to 03:00 is left out on 29 March at 01:00 UTC, and comes twice on 25 October from 00:00 UTC.
  ['30 2 * * *', vienna, '03-28 20:00', ['03-29 01:00', '03-30 00:30']],
  ['0 */2 * * *', vienna, '03-28 22:30', ['03-28 23:00', '03-29 01:00', '03-29 02:00', '03-29 04:00']],
  ['0 */4 * * *', vienna, '03-28 22:30', ['03-28 23:00', '03-29 02:00', '03-29 06:00']],
  ['*/30 * * * *', vienna, '03-29 00:15', ['03-29 00:30', '03-29 01:00', '03-29 01:30']],
  ['30 2 * * *', vienna, '10-24 20:00', ['10-25 00:30', '10-26 01:30']],
  ['0 */2 * * *', vienna, '10-24 21:30', ['10-24 22:00', '10-25 00:00', '10-25 03:00', '10-25 05:00']],
  ['0 1-3 * * *', vienna, '10-24 21:30', ['10-24 23:00', '10-25 00:00', '10-25 02:00']],
  ['*/30 * * * *', vienna, '10-25 00:15', ['10-25 00:30', '10-25 01:00', '10-25 01:30', '10-25 02:00']],
  ['0 * * * *', vienna, '10-24 23:30', ['10-25 00:00', '10-25 01:00', '10-25 02:00']],
  ['0 0-23 * * *', vienna, '10-24 23:30', ['10-25 00:00', '10-25 01:00', '10-25 02:00']],
  // New York: 02:00 to 03:00 is left out on 8 March at 07:00 UTC, and 01:00 to 02:00 comes twice on 1 November from 05:00 UTC.
  ['30 2 * * *', newYork, '03-08 00:00', ['03-08 07:00', '03-09 06:30']],
  ['0 */2 * * *', newYork, '03-08 04:30', ['03-08 05:00', '03-08 07:00', '03-08 08:00']],
  ['30 1 * * *', newYork, '11-01 00:00', ['11-01 05:30', '11-02 06:30']],
  ['30 */1 * * *', newYork, '11-01 05:00', ['11-01 05:30', '11-01 06:30', '11-01 07:30']],
])('%s in %s starts right after %s, though clocks are changed', (schedule, timeZone, from, expected) => {
  expect(starts(scheduled({ schedule, timeZone }), from, expected.length)).toEqual(expected)
})

test('says when it starts and in which time zone', () => {
  expect(scheduled({ schedule: '30 2 * * *', timeZone: vienna }).words).toBe('30 2 * * * (Europe/Vienna)')
})

test('has the start that was missed, which is due now, and not those after it', () => {
  const schedule = scheduled({ schedule: '0 * * * *' })
  const due = schedule.next(at('06-01 10:00'), known({ now: at('06-01 15:30') }))
  expect([told(due?.at), due?.why]).toEqual(['06-01 11:00', 'by schedule'])
})

test('moves what falls into a blackout to its end, all of it to one start', () => {
  const schedule = scheduled({ schedule: '0 */2 * * *', blackout: 'Mon-Fri 08:00-17:30, 17:30-18:15' })
  expect(starts(schedule, '06-01 05:00', 4)).toEqual([
    '06-01 06:00',
    '06-01 18:15',
    '06-01 20:00',
    '06-01 22:00',
  ])
})

test('keeps the start at the end of a blackout when it is asked for within', () => {
  const schedule = scheduled({ schedule: '0 9 * * *', blackout: '08:00-18:00', jitterMs: 10 * minute })
  const first = schedule.next(at('06-01 07:00'), known({ now: at('06-01 07:00') }))
  const again = schedule.next(at('06-01 13:00'), known({ now: at('06-01 13:00') }))
  expect(again).toEqual(first)
  expect(first?.why).toBe('by schedule, after the blackout')
})

test('keeps a start that its jitter has moved when it is asked for meanwhile', () => {
  const schedule = scheduled({ schedule: '0 9 * * *', jitterMs: 3 * hour })
  const now = at('06-01 08:59')
  const due = schedule.next(now, known({ now }))?.at ?? 0
  expect(due).toBeGreaterThan(at('06-01 09:00'))
  expect(schedule.next(due - 1, known({ now: due - 1 }))?.at).toBe(due)
})

test('does not make up for a missed start while no run may start', () => {
  const schedule = scheduled({ schedule: '0 7 * * *', blackout: '08:00-18:00' })
  const due = schedule.next(at('06-01 01:00'), known({ now: at('06-01 12:00') }))
  expect([told(due?.at), due?.why]).toEqual(['06-01 18:00', 'by schedule, after the blackout'])
})

test('ends a jitter before a blackout begins', () => {
  const open = scheduled({ schedule: '58 7 * * *', jitterMs: 12 * hour })
  const closed = scheduled({ schedule: '58 7 * * *', jitterMs: 12 * hour, blackout: '08:00-08:01' })
  const now = known({ now: at('06-01 00:00') })
  expect(open.next(now.now, now)?.at).toBeGreaterThan(at('06-01 08:01'))
  expect(told(closed.next(now.now, now)?.at)).toBe('06-01 07:59:59')
})

test('gives jobs of the same name on other volumes another jitter', () => {
  const here = { schedule: '0 1 * * *', jitterMs: hour }
  const there = { ...here, pairs: [{ primary: 'data', secondary: { host: 'dr2', volume: 'data-dr' } }] }
  const now = known({ now: at('06-01 00:00') })
  expect(scheduled(here).next(now.now, now)).toEqual(scheduled(here).next(now.now, now))
  expect(scheduled(here).next(now.now, now)).not.toEqual(scheduled(there).next(now.now, now))
})

test.each([
  [1, '06-01 10:25'],
  [2, '06-01 10:40'],
  [3, '06-01 11:10'],
  [4, '06-01 12:10'],
  [9, '06-01 12:10'],
])('tries again between the starts, after %i failures at %s', (failures, expected) => {
  const lastRun = { startedAt: at('06-01 10:00'), finishedAt: at('06-01 10:10'), outcome: 'failed' as const }
  const facts = known({ now: lastRun.finishedAt, failures, lastRun })
  const daily = scheduled({ schedule: '0 10 * * *' })
  expect(told(daily.next(lastRun.startedAt, facts)?.at)).toBe(expected)
  expect(told(scheduled({ schedule: '15 10 * * *' }).next(lastRun.startedAt, facts)?.at)).toBe('06-01 10:15')
  const never = scheduled({ schedule: '0 10 * * *', retryMs: 0 })
  expect(told(never.next(lastRun.startedAt, facts)?.at)).toBe('06-02 10:00')
})

test('tries again only when runs may start', () => {
  const lastRun = { startedAt: at('06-01 10:00'), finishedAt: at('06-01 10:10'), outcome: 'refused' as const }
  const schedule = scheduled({ schedule: '0 9 * * *', blackout: '10:20-11:00' })
  const due = schedule.next(lastRun.startedAt, known({ now: lastRun.finishedAt, failures: 1, lastRun }))
  expect(told(due?.at)).toBe('06-01 11:00')
  expect(due?.why).toBe('again, 15 min after a run that protected no VM, after the blackout')
})

test('goes on after a clock that was a year ahead was set right', () => {
  const schedule = scheduled({ schedule: '0 * * * *' })
  const due = schedule.next(at('12-31 00:00'), known({ now: at('06-01 10:20') }))
  expect(told(due?.at)).toBe('06-01 11:00')
})
