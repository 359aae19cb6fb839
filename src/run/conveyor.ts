import { setImmediate as turn } from 'node:timers/promises'
import type { Clock } from './clock.ts'

/**
 * Moves items through something that takes time: at most `parallel` at once, one look per tick for all of them.
 * `begin` starts an item (its failure is that item's result, by `fail`); `look` sees all that are under way and returns the
 * results of those that have ended. Where `lane` names an item's lane, at most `perLane` of one lane go at once. The order of
 * results is the order of items. Throws when aborted or when `look` throws.
 */
export async function conveyor<Item, Result>(
  items: readonly Item[],
  belt: {
    parallel: number
    perLane?: number
    lane?(item: Item): string | undefined
    intervalMs: number
    clock: Clock
    signal: AbortSignal
    begin(item: Item): Promise<void>
    fail(item: Item, error: unknown): Result
    look(underWay: readonly Item[]): Promise<Map<Item, Result>>
    ended?(item: Item, result: Result): Promise<void> | void
  },
): Promise<Result[]> {
  const waiting = [...items]
  const beginning = new Map<Item, Promise<void>>()
  const refused: [Item, unknown][] = []
  const underWay = new Set<Item>()
  const results = new Map<Item, Result>()

  const end = async (item: Item, result: Result): Promise<void> => {
    underWay.delete(item)
    results.set(item, result)
    await belt.ended?.(item, result)
  }
  const start = (item: Item): void => {
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
    for (const item of next) waiting.splice(waiting.indexOf(item), 1)
    return next
  }
  const fill = async (): Promise<void> => {
    const free = belt.parallel - underWay.size - beginning.size
    for (const item of nextOf(Math.max(0, free))) start(item)
    await begun()
    belt.signal.throwIfAborted()
    for (const [item, error] of refused.splice(0)) await end(item, belt.fail(item, error))
  }
  /** All that are beginning, but one that takes its time does not keep the others from being looked at. */
  const begun = async (): Promise<void> => {
    if (beginning.size === 0) return
    if (underWay.size === 0) await Promise.race(beginning.values())
    await turn()
    if (beginning.size === 0) return
    const enough = new AbortController()
    const tick = belt.clock.sleep(belt.intervalMs, AbortSignal.any([belt.signal, enough.signal]))
    await Promise.race([Promise.all(beginning.values()), tick.catch(() => undefined)])
    enough.abort()
  }

  try {
    while (waiting.length > 0 || beginning.size > 0 || underWay.size > 0) {
      belt.signal.throwIfAborted()
      await fill()
      if (underWay.size === 0) continue
      const ended = await belt.look([...underWay])
      for (const [item, result] of ended) await end(item, result)
      if (ended.size === 0) await belt.clock.sleep(belt.intervalMs, belt.signal)
    }
  } finally {
    // What is still beginning when this throws would act behind the back of the settling.
    await Promise.all(beginning.values())
  }
  return items.map((item) => results.get(item) as Result)
}
