import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, it, test } from 'vitest'
import { conveyor } from '../../src/run/conveyor.ts'
import { fakeClock } from '../support/stage.ts'

interface Work {
  takesMs: number
}

interface Span {
  from: number
  to: number
}

/** A belt whose items end by the clock; keeps when each was at work and when it was looked. */
function aTimedBelt(parallel: number, longestPauseMs = 1_000) {
  const clock = fakeClock()
  const spans = new Map<Work, Span>()
  const looks: number[] = []
  return {
    spans,
    looks,
    clock,
    parallel,
    longestPauseMs,
    signal: new AbortController().signal,
    async begin(item: Work) {
      const from = clock.now()
      spans.set(item, { from, to: from + item.takesMs })
    },
    fail: () => 'failed',
    async look(underWay: readonly Work[]) {
      looks.push(clock.now())
      const over = underWay.filter((item) => (spans.get(item)?.to ?? 0) <= clock.now())
      return new Map(over.map((item) => [item, 'done'] as const))
    },
  }
}

/** Of the slots while something was waiting: from the first start to the last. */
function busyShare({ spans, parallel }: { spans: ReadonlyMap<Work, Span>; parallel: number }): number {
  const all = [...spans.values()]
  const [first, last] = [Math.min(...all.map(({ from }) => from)), Math.max(...all.map(({ from }) => from))]
  const busy = all.reduce((sum, { from, to }) => sum + Math.min(to, last) - from, 0)
  return busy / (parallel * (last - first))
}

/** Around a middle, none like the next. */
function works(many: number, middleMs: number): Work[] {
  return Array.from({ length: many }, (_, index) => ({
    takesMs: middleMs * (0.7 + 0.6 * ((index * 0.618) % 1)),
  }))
}

const secondsOf = (looks: readonly number[]): number => ((looks.at(-1) ?? 0) - (looks[0] ?? 0)) / 1000

describe.each([4, 16, 32])('with %i slots', (parallel) => {
  it.each([5_000, 10_000, 60_000, 600_000])(
    'they are busy for 95%% of the time where items take %i ms',
    async (ms) => {
      const belt = aTimedBelt(parallel)
      await conveyor(works(parallel * 10, ms), belt)
      expect(busyShare(belt)).toBeGreaterThan(0.95)
    },
  )

  it('there are at most ten looks a second, however short the items are and however many', async () => {
    const belt = aTimedBelt(parallel)
    await conveyor(works(parallel * 10, 300), belt)
    expect(belt.looks.length / secondsOf(belt.looks)).toBeLessThanOrEqual(10)
  })
})

test('items that take minutes are looked at as seldom as is allowed', async () => {
  const belt = aTimedBelt(4, 10_000)
  await conveyor(works(40, 600_000), belt)
  // And once more after each that has ended, and while nothing is known yet.
  expect(belt.looks.length).toBeLessThan(secondsOf(belt.looks) / 10 + 40 + 250)
})

test('one that takes far longer than the others is looked at more and more seldom', async () => {
  const belt = aTimedBelt(2)
  await conveyor([...works(20, 2_000), { takesMs: 3_600_000 }], belt)
  const last = belt.looks.slice(-1_000)
  expect(secondsOf(last)).toBeCloseTo(999, 0)
})

test('no pause is longer than the configured one', async () => {
  const belt = aTimedBelt(1, 100)
  await conveyor([{ takesMs: 60_000 }], belt)
  const pauses = belt.looks.slice(1).map((at, index) => at - (belt.looks[index] ?? 0))
  expect(Math.max(...pauses)).toBe(100)
})

test('the next item does not wait for what is done about one that has ended, and the belt does', async () => {
  const slow = Promise.withResolvers<void>()
  const log: string[] = []
  const belt = aTimedBelt(1)
  const [first, second] = [{ takesMs: 1_000 }, { takesMs: 1_000 }]
  const moving = conveyor([first, second], {
    ...belt,
    async begin(item) {
      log.push(item === first ? 'first begins' : 'second begins')
      if (item === second) setImmediate(slow.resolve)
      await belt.begin(item)
    },
    async ended(item, _result, at) {
      if (item === first) await slow.promise
      log.push(item === first ? 'first is settled' : 'second is settled')
      expect(at).toBeGreaterThanOrEqual(belt.spans.get(item)?.to ?? Number.POSITIVE_INFINITY)
    },
  }).then(() => log.push('the belt has ended'))
  await moving
  expect(log.toSorted()).toEqual(
    [
      'first begins',
      'second begins',
      'first is settled',
      'second is settled',
      'the belt has ended',
    ].toSorted(),
  )
  expect(log.indexOf('second begins')).toBeLessThan(log.indexOf('first is settled'))
  expect(log.indexOf('first is settled')).toBeLessThan(log.indexOf('second is settled'))
  expect(log.at(-1)).toBe('the belt has ended')
})

test('what throws about an item that has ended ends the belt, and nothing is begun after that', async () => {
  const belt = aTimedBelt(1)
  const begun: Work[] = []
  const items = works(50, 1_000)
  const moving = conveyor(items, {
    ...belt,
    async begin(item) {
      begun.push(item)
      await belt.begin(item)
      // As long as a real one: what has ended is settled meanwhile.
      await turn()
    },
    ended: () => Promise.reject(new Error('the ledger is gone')),
  })
  await expect(moving).rejects.toThrow('the ledger is gone')
  expect(begun.length).toBeLessThan(4)
})
