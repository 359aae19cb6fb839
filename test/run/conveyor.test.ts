import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Cancelled } from '../../src/model/errors.ts'
import { conveyor } from '../../src/run/conveyor.ts'
import { fakeClock } from '../support/stage.ts'

interface Item {
  name: string
  /** Looks until it ends; `refused` when it cannot begin. */
  takes: number | 'refused'
}

/** A belt whose items end after so many looks; keeps what went on. */
function aBelt(parallel: number) {
  const left = new Map<Item, number>()
  const seen = { most: 0, looks: [] as string[][], ended: [] as string[] }
  const clock = fakeClock()
  let sleeps = 0
  return {
    seen,
    sleeps: () => sleeps,
    parallel,
    longestPauseMs: 1,
    clock: {
      ...clock,
      async sleep(ms: number, signal: AbortSignal) {
        sleeps += 1
        await clock.sleep(ms, signal)
      },
    },
    signal: new AbortController().signal,
    async begin(item: Item) {
      if (item.takes === 'refused') throw new Error(`${item.name} refused`)
      left.set(item, item.takes)
      seen.most = Math.max(seen.most, left.size)
    },
    fail: (_item: Item, error: unknown) => (error instanceof Error ? error.message : ''),
    async look(underWay: readonly Item[]) {
      seen.looks.push(underWay.map(({ name }) => name))
      const ended = new Map<Item, string>()
      for (const item of underWay) {
        const looks = (left.get(item) ?? 0) - 1
        left.set(item, looks)
        if (looks > 0) continue
        left.delete(item)
        ended.set(item, `${item.name} done`)
      }
      return ended
    },
    ended: (item: Item) => void seen.ended.push(item.name),
  }
}

const items = fc.array(
  fc.oneof({ weight: 5, arbitrary: fc.integer({ min: 1, max: 5 }) }, fc.constant('refused' as const)),
  { maxLength: 30 },
)

test('every item has its result in the order of items, ends once, and never more than `parallel` go on', async () => {
  await fc.assert(
    fc.asyncProperty(items, fc.integer({ min: 1, max: 6 }), async (times, parallel) => {
      const all = times.map((takes, index): Item => ({ name: `item-${index}`, takes }))
      const belt = aBelt(parallel)
      const results = await conveyor(all, belt)
      expect(results).toEqual(
        all.map(({ name, takes }) => (takes === 'refused' ? `${name} refused` : `${name} done`)),
      )
      expect(belt.seen.ended.toSorted()).toEqual(all.map(({ name }) => name).toSorted())
      expect(belt.seen.most).toBeLessThanOrEqual(parallel)
    }),
  )
})

test('one look sees all that are under way, however many', async () => {
  const all = Array.from({ length: 500 }, (_, index): Item => ({ name: `${index}`, takes: 3 }))
  const belt = aBelt(500)
  await conveyor(all, belt)
  expect(belt.seen.looks.map(({ length }) => length)).toEqual([500, 500, 500])
})

test('it sleeps only after a look that saw nothing end', async () => {
  const belt = aBelt(1)
  await conveyor(
    [
      { name: 'a', takes: 1 },
      { name: 'b', takes: 3 },
    ],
    belt,
  )
  expect(belt.sleeps()).toBe(2)
})

test('nothing to do needs no look', async () => {
  const belt = aBelt(2)
  expect(await conveyor([], belt)).toEqual([])
  expect(belt.seen.looks).toEqual([])
})

test('items that cannot begin make room for the next ones without a look', async () => {
  const belt = aBelt(1)
  const refused = ['a', 'b', 'c'].map((name): Item => ({ name, takes: 'refused' }))
  expect(await conveyor(refused, belt)).toEqual(['a refused', 'b refused', 'c refused'])
  expect(belt.seen.looks).toEqual([])
})

test('a look that throws ends it', async () => {
  const belt = { ...aBelt(1), look: () => Promise.reject(new Error('the engine is away')) }
  await expect(conveyor([{ name: 'a', takes: 1 }], belt)).rejects.toThrow('the engine is away')
})

test('an abort ends it with the reason of the signal and begins nothing more', async () => {
  const controller = new AbortController()
  const reason = new Cancelled('SIGTERM')
  const begun: string[] = []
  const belt = {
    ...aBelt(1),
    signal: controller.signal,
    begin: async ({ name }: Item) => {
      begun.push(name)
      controller.abort(reason)
      throw reason
    },
  }
  const all = ['a', 'b'].map((name): Item => ({ name, takes: 1 }))
  await expect(conveyor(all, belt)).rejects.toBe(reason)
  expect(begun).toEqual(['a'])
})

test('an abort while several begin waits for all of them, so that nobody acts behind the settling', async () => {
  const controller = new AbortController()
  const reason = new Cancelled('SIGTERM')
  const slow = Promise.withResolvers<void>()
  let slowIsOver = false
  const belt = {
    ...aBelt(2),
    signal: controller.signal,
    async begin({ name }: Item) {
      if (name === 'quick') {
        controller.abort(reason)
        setImmediate(slow.resolve)
        throw reason
      }
      await slow.promise
      slowIsOver = true
    },
  }
  const all = ['quick', 'slow'].map((name): Item => ({ name, takes: 1 }))
  await expect(conveyor(all, belt)).rejects.toBe(reason)
  expect(slowIsOver).toBe(true)
})

test('an item that takes long to begin does not keep the others from being looked at', async () => {
  const slow = Promise.withResolvers<void>()
  const belt = aBelt(2)
  const done = conveyor<Item, string>(
    [
      { name: 'slow', takes: 1 },
      { name: 'quick', takes: 1 },
      { name: 'next', takes: 1 },
    ],
    {
      ...belt,
      async begin(item) {
        if (item.name === 'slow') await slow.promise
        await belt.begin(item)
      },
      async ended(item) {
        belt.seen.ended.push(item.name)
        // Only now, so that this would hang if the others waited for it.
        if (item.name === 'next') slow.resolve()
      },
    },
  )
  expect(await done).toEqual(['slow done', 'quick done', 'next done'])
  expect(belt.seen.ended).toEqual(['quick', 'next', 'slow'])
})

test('what is still beginning when the belt is aborted has ended when the belt throws', async () => {
  const aborting = new AbortController()
  const belt = aBelt(2)
  let begun = false
  const done = conveyor<Item, string>(
    [
      { name: 'slow', takes: 1 },
      { name: 'quick', takes: 100 },
    ],
    {
      ...belt,
      signal: aborting.signal,
      async begin(item) {
        if (item.name === 'slow') {
          aborting.abort(new Cancelled('SIGTERM'))
          await new Promise((resolve) => setTimeout(resolve, 20))
          begun = true
        }
        await belt.begin(item)
      },
    },
  )
  await expect(done).rejects.toThrow(Cancelled)
  expect(begun).toBe(true)
})

test('of one lane never more than `perLane` go on, and nobody waits for a full lane but those in it', async () => {
  const belt = aBelt(4)
  const most = new Map<string, number>()
  const lane = ({ name }: Item) => (name.startsWith('x') ? undefined : name.slice(0, 1))
  const queue: Item[] = ['a1', 'a2', 'a3', 'b1', 'x1', 'x2', 'b2', 'a4'].map((name) => ({ name, takes: 2 }))
  const results = await conveyor(queue, {
    ...belt,
    perLane: 1,
    lane,
    async look(underWay) {
      const counts = Map.groupBy(underWay, lane)
      for (const [of, some] of counts) {
        if (of !== undefined) most.set(of, Math.max(most.get(of) ?? 0, some.length))
      }
      return belt.look(underWay)
    },
  })
  expect(results).toEqual(queue.map(({ name }) => `${name} done`))
  expect(belt.seen.looks[0]).toEqual(['a1', 'b1', 'x1', 'x2'])
  expect([...most.values()]).toEqual([1, 1])
})
