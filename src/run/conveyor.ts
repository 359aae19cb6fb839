import { setImmediate as turn } from 'node:timers/promises'
import type { Clock } from './clock.ts'
import { paceUpTo } from './pace.ts'

/**
 * Moves items through something that takes time: at most `parallel` at once, one look per tick for all of them.
 * `begin` starts an item (its failure is that item's result, by `fail`); `look` sees all that are under way and returns the
 * results of those that have ended. The pause between two looks is a small part of what items take, and never more than `longestPauseMs`.
 * Where `lane` names an item's lane, at most `perLane` of one lane go at once. `ended` is called for one item after the other, beside the
 * belt: the next item does not wait for it. The order of results is the order of items. Throws when aborted, or when `look` or `ended` throws.
 */
export async function conveyor<Item, Result>(
  items: readonly Item[],
  belt: {
    parallel: number
    perLane?: number
    lane?(item: Item): string | undefined
    longestPauseMs: number
    clock: Clock
    signal: AbortSignal
    begin(item: Item): Promise<void>
    fail(item: Item, error: unknown): Result
    look(underWay: readonly Item[]): Promise<Map<Item, Result>>
    /** `at`: when it was seen to have ended. */
    ended?(item: Item, result: Result, at: number): Promise<void> | void
  },
): Promise<Result[]> {
  const waiting = new Set(items)
  const pace = paceUpTo(belt.longestPauseMs)
  const begunAt = new Map<Item, number>()
  const beginning = new Map<Item, Promise<void>>()
  const refused: [Item, unknown][] = []
  const underWay = new Set<Item>()
  const results = new Map<Item, Result>()
  const broken = new AbortController()
  let endings: Promise<void> = Promise.resolve()

  const end = (item: Item, result: Result): void => {
    underWay.delete(item)
    results.set(item, result)
    const at = belt.clock.now()
    endings = endings.then(() => belt.ended?.(item, result, at))
    endings.catch(() => broken.abort())
  }
  const start = (item: Item): void => {
    begunAt.set(item, belt.clock.now())
    const begun = (async () => belt.begin(item))().then(
      () => void underWay.add(item),
      (error: unknown) => void refused.push([item, error]),
    )
    beginning.set(
      item,
      begun.finally(() => beginning.delete(item)),
    )
  }
  /** The first of those that wait whose lanes have room; takes them out of the queue. */
  const nextOf = (most: number): Item[] => {
    const lanes = new Map<string, number>()
    const enter = (item: Item): boolean => {
      const lane = belt.lane?.(item)
      if (lane === undefined) return true
      const busy = lanes.get(lane) ?? 0
      if (busy >= (belt.perLane ?? Number.POSITIVE_INFINITY)) return false
      lanes.set(lane, busy + 1)
      return true
    }
    for (const item of [...underWay, ...beginning.keys()]) enter(item)
    const next: Item[] = []
    for (const item of waiting) {
      if (next.length === most) break
      if (enter(item)) next.push(item)
    }
    for (const item of next) waiting.delete(item)
    return next
  }
  const fill = async (): Promise<void> => {
    const free = belt.parallel - underWay.size - beginning.size
    for (const item of nextOf(Math.max(0, free))) start(item)
    await begun()
    belt.signal.throwIfAborted()
    for (const [item, error] of refused.splice(0)) end(item, belt.fail(item, error))
  }
  const pauseMs = (): number => {
    const begun = [...underWay, ...beginning.keys()].map((item) => begunAt.get(item) ?? 0)
    return pace.pauseMs(belt.clock.now() - Math.max(...begun))
  }
  /** All that are beginning, but one that takes its time does not keep the others from being looked at. */
  const begun = async (): Promise<void> => {
    if (beginning.size === 0) return
    if (underWay.size === 0) await Promise.race(beginning.values())
    await turn()
    if (beginning.size === 0) return
    const enough = new AbortController()
    const tick = belt.clock.sleep(pauseMs(), AbortSignal.any([belt.signal, enough.signal]))
    await Promise.race([Promise.all(beginning.values()), tick.catch(() => undefined)])
    enough.abort()
  }

  try {
    while (waiting.size > 0 || beginning.size > 0 || underWay.size > 0) {
      belt.signal.throwIfAborted()
      if (broken.signal.aborted) break
      await fill()
      if (underWay.size === 0) continue
      const ended = await belt.look([...underWay])
      for (const [item, result] of ended) {
        pace.took(belt.clock.now() - (begunAt.get(item) ?? 0))
        end(item, result)
      }
      if (ended.size === 0) await belt.clock.sleep(pauseMs(), belt.signal)
    }
  } finally {
    // What is still going on when this throws would act behind the back of the settling.
    await Promise.all(beginning.values())
    await endings.catch(() => undefined)
  }
  await endings
  return items.map((item) => results.get(item) as Result)
}
