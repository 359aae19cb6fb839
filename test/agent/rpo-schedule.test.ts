import fc from 'fast-check'
import { expect, test } from 'vitest'
import { expectedMs } from '../../src/agent/rpo-schedule.ts'
import { type Schedule, type ScheduleFacts, scheduleOf } from '../../src/agent/schedule.ts'
import { aJob, at, hour, known, minute, told } from './a-job.ts'

function byRpo(set: Parameters<typeof aJob>[0] = {}): Schedule {
  const schedule = scheduleOf(aJob({ rpoMs: 4 * hour, ...set }))
  if (schedule === undefined) throw new Error('there is no schedule')
  return schedule
}

/** A run that began at that time and took so long, and what is known when it has ended. */
function after(
  time: string,
  tookMs: number,
  facts: Partial<ScheduleFacts> & { outcome?: 'protected' | 'partly protected' | 'failed' } = {},
): ScheduleFacts {
  const { outcome = 'protected', ...more } = facts
  const lastRun = { startedAt: at(time), finishedAt: at(time) + tookMs, outcome }
  const provedAsOf = outcome === 'protected' ? at(time) : undefined
  return known({ now: lastRun.finishedAt, lastRun, provedAsOf, durationsMs: [tookMs], ...more })
}

function next(schedule: Schedule, facts: ScheduleFacts): [string | undefined, string | undefined] {
  const due = schedule.next(facts.lastRun?.startedAt ?? facts.now - hour, facts)
  return [told(due?.at), due?.why]
}

test('starts at once when nothing is proved', () => {
  const due = byRpo().next(at('06-01 08:00'), known({ now: at('06-01 08:00') + 1 }))
  expect(due).toEqual({ at: at('06-01 08:00') + 1, why: 'at once: there is no proved point' })
})

test('starts so that the next point is proved before the RPO, less the margin', () => {
  // 4 h less 24 min less 16 min.
  expect(next(byRpo(), after('06-01 08:00', 16 * minute))).toEqual(['06-01 11:20', 'by RPO of 4 h'])
  expect(next(byRpo({ marginPercent: 50 }), after('06-01 08:00', 16 * minute))[0]).toBe('06-01 09:44')
})

test('lets the shortest RPO of its VMs count', () => {
  expect(next(byRpo(), after('06-01 08:00', 16 * minute, { rpoMs: hour }))[0]).toBe('06-01 08:38')
})

test('expects a run to take as long as the slowest of the last ten but one', () => {
  expect(expectedMs([])).toBeUndefined()
  expect(expectedMs([7])).toBe(7)
  expect(expectedMs([1, 9, 3])).toBe(9)
  expect(expectedMs([99, 98, 1, 2, 3, 4, 5, 6, 7, 8, 9, 50])).toBe(9)
})

test('says that runs which take too long cannot hold the RPO, and lets them follow each other', () => {
  const why = 'the RPO of 4 h cannot be held: runs take up to 2 h 30 min and follow each other'
  expect(next(byRpo(), after('06-01 08:00', 150 * minute))).toEqual(['06-01 10:30', why])
})

test('says that it is late after the agent was down', () => {
  const facts = after('06-01 08:00', 16 * minute, { now: at('06-02 08:00') })
  expect(next(byRpo(), facts)).toEqual(['06-01 11:20', 'by RPO of 4 h'])
  const resumed = byRpo().next(at('06-02 08:00'), { ...facts, now: at('06-02 08:00') + 5 })
  expect(resumed).toEqual({ at: at('06-02 08:00') + 1, why: 'late for the RPO of 4 h' })
})

test('starts no more than once a minute, however short runs and RPO are', () => {
  expect(next(byRpo({ rpoMs: minute }), after('06-01 08:00', 900))[0]).toBe('06-01 08:01')
})

test.each([
  [1, 15 * minute, '06-01 08:20'],
  [2, 15 * minute, '06-01 08:35'],
  [7, 15 * minute, '06-01 10:05'],
  [1, 0, '06-01 08:06'],
  [7, 0, '06-01 08:13'],
])('rests after %i runs that protected nobody, with retry %i, until %s', (failures, retryMs, expected) => {
  const facts = after('06-01 08:00', 5 * minute, { outcome: 'failed', failures })
  expect(next(byRpo({ retryMs }), facts)[0]).toBe(expected)
})

test('does not run without rest for a VM that always fails', () => {
  const facts = after('06-01 08:00', 16 * minute, { outcome: 'partly protected' })
  expect(next(byRpo(), facts)[0]).toBe('06-01 11:20')
  expect(next(byRpo(), { ...facts, provedAsOf: at('05-20 08:00') })[0]).toBe('06-01 11:20')
})

test('tries again for a VM that failed once as long as that keeps its RPO', () => {
  const facts = after('06-01 08:00', 16 * minute, { outcome: 'partly protected' })
  const why = 'again for what the last run did not protect'
  expect(next(byRpo(), { ...facts, provedAsOf: at('06-01 05:00') })).toEqual(['06-01 08:31', why])
  expect(next(byRpo(), { ...facts, provedAsOf: at('06-01 04:30') })[0]).toBe('06-01 11:20')
  expect(next(byRpo({ retryMs: 0 }), { ...facts, provedAsOf: at('06-01 05:00') })[0]).toBe('06-01 11:20')
})

test('does not wait for the RPO with a VM that no run has come to yet', () => {
  const facts = after('06-01 08:00', 16 * minute, { provedAsOf: undefined, waiting: true })
  expect(next(byRpo(), facts)).toEqual(['06-01 08:16', 'at once: there is a VM that no run has come to yet'])
})

test('starts after a blackout where the RPO allows, else before it', () => {
  const facts = after('06-01 08:00', 16 * minute)
  expect(next(byRpo({ blackout: '11:00-11:30' }), facts)).toEqual([
    '06-01 11:30',
    'by RPO of 4 h, after the blackout',
  ])
  expect(next(byRpo({ blackout: '11:00-11:40' }), facts)).toEqual([
    '06-01 10:59',
    'before a blackout in which the RPO of 4 h would break',
  ])
  expect(next(byRpo({ blackout: '11:00-11:40' }), { ...facts, now: at('06-01 11:05') })).toEqual([
    '06-01 11:40',
    'by RPO of 4 h, after the blackout in which the RPO breaks',
  ])
})

test('has its jitter before the latest start, and not across a blackout', () => {
  const facts = after('06-01 08:00', 16 * minute)
  const drawn = byRpo({ jitterMs: 2 * hour }).next(at('06-01 08:00'), facts)?.at ?? 0
  expect(drawn).toBeGreaterThan(at('06-01 09:20') - 1)
  expect(drawn).toBeLessThan(at('06-01 11:00'))
  expect(next(byRpo({ jitterMs: 2 * hour, blackout: '11:05-11:06' }), facts)[0]).toBe('06-01 11:20')
})

test('goes on after a clock that was a year ahead was set right', () => {
  const facts = after('12-31 08:00', 16 * minute, { now: at('06-01 08:00') })
  expect(next(byRpo(), facts)[0]).toBe('06-01 08:00')
})

/** Makes runs one after the other, each started when it is due; gives the greatest age of a point when the next was proved. */
function oldest(schedule: Schedule, durations: readonly number[]): { ageMs: number; starts: number[] } {
  let facts = known({ now: at('01-01 00:00') })
  let after = facts.now - 1
  const found = { ageMs: 0, starts: [] as number[] }
  for (const duration of durations) {
    const startedAt = Math.max(facts.now, schedule.next(after, facts)?.at ?? Infinity)
    const finishedAt = startedAt + duration
    if (facts.provedAsOf !== undefined) found.ageMs = Math.max(found.ageMs, finishedAt - facts.provedAsOf)
    found.starts.push(startedAt)
    after = startedAt
    facts = {
      now: finishedAt,
      provedAsOf: startedAt,
      durationsMs: [...facts.durationsMs, duration],
      lastRun: { startedAt, finishedAt, outcome: 'protected' },
      failures: 0,
    }
  }
  return found
}

test('keeps every point younger than the RPO when runs differ by less than the margin', () => {
  const drawn = fc.record({
    rpoMs: fc.integer({ min: 10 * minute, max: 40 * hour }),
    share: fc.double({ min: 0.01, max: 0.4, noNaN: true }),
    spread: fc.array(fc.double({ min: 0, max: 0.099, noNaN: true }), { minLength: 5, maxLength: 40 }),
    jitterMs: fc.constantFrom(0, 5 * minute),
  })
  fc.assert(
    fc.property(drawn, ({ rpoMs, share, spread, jitterMs }) => {
      const durations = spread.map((more) => Math.floor(rpoMs * (share + more)))
      expect(oldest(byRpo({ rpoMs, jitterMs }), durations).ageMs).toBeLessThanOrEqual(rpoMs)
    }),
  )
})

test('keeps the RPO over a blackout that is shorter than it', () => {
  const durations = Array.from({ length: 200 }, (_, index) => (10 + (index % 7)) * minute)
  const { ageMs, starts } = oldest(byRpo({ blackout: '07:00-10:00, 20:00-20:30' }), durations)
  expect(ageMs).toBeLessThanOrEqual(4 * hour)
  // No more often than it takes: about seven a day.
  expect((starts.at(-1) ?? 0) - (starts[0] ?? 0)).toBeGreaterThan(25 * 24 * hour)
})
