import type { Clock } from './clock.ts'

/**
 * Moves items through something that takes time: at most `parallel` at once, one look per tick for all of them.
 * `begin` starts an item (its failure is that item's result, by `fail`); `look` sees all that are under way and returns the
 * results of those that have ended. The order of results is the order of items. Throws when aborted or when `look` throws.
 */
export async function conveyor<Item, Result>(
  items: readonly Item[],
  belt: {
    parallel: number
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
  const underWay = new Set<Item>()
  const results = new Map<Item, Result>()

  const end = async (item: Item, result: Result): Promise<void> => {
    underWay.delete(item)
    results.set(item, result)
    await belt.ended?.(item, result)
  }
  const fill = async (): Promise<void> => {
    const next = waiting.splice(0, belt.parallel - underWay.size)
    for (const item of next) underWay.add(item)
    const begun = await Promise.allSettled(next.map(async (item) => belt.begin(item)))
    // Only now: what is still beginning when this throws would act behind the back of the settling.
    belt.signal.throwIfAborted()
    for (const [index, item] of next.entries()) {
      const result = begun[index]
      if (result?.status === 'rejected') await end(item, belt.fail(item, result.reason))
    }
  }

  while (waiting.length > 0 || underWay.size > 0) {
    belt.signal.throwIfAborted()
    await fill()
    if (underWay.size === 0) continue
    const ended = await belt.look([...underWay])
    for (const [item, result] of ended) await end(item, result)
    if (ended.size === 0) await belt.clock.sleep(belt.intervalMs, belt.signal)
  }
  return items.map((item) => results.get(item) as Result)
}
