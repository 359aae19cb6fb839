/** Numbers that a seed decides. */
export interface Random {
  /** A whole number from 0 up to below this. */
  upTo(limit: number): number
  of<T>(some: readonly T[]): T
}

/** Mulberry32: small, and the same everywhere. */
export function randomFrom(seed: number): Random {
  let state = seed >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const upTo = (limit: number): number => Math.floor(next() * limit)
  return {
    upTo,
    of(some) {
      const found = some[upTo(some.length)]
      if (found === undefined) throw new Error('nothing to choose from')
      return found
    },
  }
}

/** The same in another order (Fisher and Yates). */
export function shuffled<T>(some: readonly T[], random: Random): T[] {
  const rest = [...some]
  return some.map(() => {
    const [one] = rest.splice(random.upTo(rest.length), 1)
    return one as T
  })
}
