/** What replication told at a moment (epoch milliseconds): changes that it knew of and had not sent. */
export interface Sample {
  at: number
  pending: number | undefined
}

/** A pace of less is a guess. */
const leastMs = 10_000
const leastShare = 0.1

/**
 * How long it will take until nothing is pending, by the pace since the count last rose; undefined while there is no pace to
 * speak of. What replication has not looked at yet is in no count.
 */
export function timeLeft(samples: readonly Sample[]): number | undefined {
  const counted = samples.flatMap(({ at, pending }) => (pending === undefined ? [] : [{ at, pending }]))
  const last = counted.at(-1)
  if (last === undefined || last.pending === 0) return undefined
  const rise = counted.findLastIndex(({ pending }, index) => pending > (counted[index - 1]?.pending ?? 0))
  const peak = counted[rise]
  if (peak === undefined) return undefined
  const [sent, tookMs] = [peak.pending - last.pending, last.at - peak.at]
  if (tookMs < leastMs || sent < peak.pending * leastShare) return undefined
  return (last.pending * tookMs) / sent
}

/** How long something took, and the limit it had (bytes per second). */
export interface Took {
  ms: number
  rate?: number
}

const kept = 5

/** The last ones with one more, as a fact for later runs. */
export function withTook(fact: string | undefined, took: Took): string {
  return JSON.stringify([...tookIn(fact), took].slice(-kept))
}

/** How long it will still take if it takes as long as it took under the same limit; undefined when that is over or unknown. */
export function leftByEarlier(
  fact: string | undefined,
  elapsedMs: number,
  rate: number | undefined,
): number | undefined {
  const alike = tookIn(fact).flatMap((one) => (one.rate === rate ? [one.ms] : []))
  const middle = alike.toSorted((one, other) => one - other)[Math.floor(alike.length / 2)]
  return middle === undefined || middle <= elapsedMs ? undefined : middle - elapsedMs
}

/** What an earlier run noted; nothing where that is something else. */
function tookIn(fact: string | undefined): Took[] {
  try {
    const read: unknown = JSON.parse(fact ?? '[]')
    return Array.isArray(read) ? read.filter(isTook) : []
  } catch {
    return []
  }
}

function isTook(value: unknown): value is Took {
  if (typeof value !== 'object' || value === null || !('ms' in value)) return false
  const rate = 'rate' in value ? value.rate : 1
  return [value.ms, rate].every((one) => typeof one === 'number' && Number.isFinite(one) && one >= 0)
}
