import type { Found } from './block.ts'
import { firstWrites, type Geometry, placeOf } from './geometry.ts'

/** A slot that does not hold what it held after write n; `expected` 0 means nothing written yet. */
interface WrongSlot {
  disk: number
  offset: number
  expected: number
  found: Found
}

export type Verdict =
  | { verdict: 'exactly'; n: number }
  | { verdict: 'torn'; n: number; wrong: number; slots: number; examples: WrongSlot[] }
  | { verdict: 'unexpected'; n: number; min?: number | undefined; max?: number | undefined }
  | { verdict: 'unreadable'; why: string }

type Judgement = Extract<Verdict, { verdict: 'exactly' | 'torn' }>

const shownExamples = 5

/**
 * Says after which write the VM's slots stood so: 'exactly' only if every slot agrees. A torn VM gets the n with
 * which most slots agree.
 */
export function judge(geometry: Geometry, found: Found[]): Judgement {
  const first = firstWrites(geometry)
  const n = likeliestMoment(geometry, first, found)
  let wrong = 0
  const examples: WrongSlot[] = []
  for (const [slot, what] of found.entries()) {
    const expected = lastWriteTo(first[slot] ?? 0, n, geometry.slots)
    if (what === (expected || 'nothing')) continue
    wrong += 1
    if (examples.length < shownExamples) examples.push({ ...placeOf(geometry, slot), expected, found: what })
  }
  return wrong === 0
    ? { verdict: 'exactly', n }
    : { verdict: 'torn', n, wrong, slots: geometry.slots, examples }
}

function lastWriteTo(first: number, n: number, slots: number): number {
  return n < first ? 0 : first + slots * Math.floor((n - first) / slots)
}

/**
 * For a VM that crashed with up to `window` writes not flushed: the last write that is surely there with all before
 * it, and the last that is seen at all. Undefined if more is wrong than such a crash explains.
 */
export function judgeCrashed(
  geometry: Geometry,
  found: Found[],
  window: number,
): { durable: number; seen: number } | undefined {
  const first = firstWrites(geometry)
  const seen = found.reduce<number>(
    (last, what) => (typeof what === 'number' ? Math.max(last, what) : last),
    0,
  )
  const durable = Math.max(0, seen - window)
  const isExplained = found.every((what, slot) => {
    const start = first[slot] ?? 0
    // The write after the last one seen may have been under way.
    return (
      lastWriteTo(start, seen + 1, geometry.slots) > durable ||
      what === (lastWriteTo(start, durable, geometry.slots) || 'nothing')
    )
  })
  return isExplained ? { durable, seen } : undefined
}

/** Each slot agrees with the writes from the one it holds until its next one; the n most slots agree with wins. */
function likeliestMoment(geometry: Geometry, first: Float64Array, found: Found[]): number {
  const spans = found.flatMap((what, slot) => agreement(what, first[slot] ?? 0, geometry.slots) ?? [])
  const begins = Float64Array.from(spans, ({ from }) => from).sort()
  const ends = Float64Array.from(spans, ({ until }) => until).sort()
  let best = { n: 0, agreeing: 0 }
  let ended = 0
  for (const [index, n] of begins.entries()) {
    while ((ends[ended] ?? Number.POSITIVE_INFINITY) <= n) ended += 1
    const agreeing = index + 1 - ended
    if (agreeing >= best.agreeing) best = { n, agreeing }
  }
  return best.n
}

/** A whole block in a slot to which its write never goes agrees with no moment, as garbage does. */
function agreement(what: Found, first: number, slots: number): { from: number; until: number } | undefined {
  if (what === 'garbage') return undefined
  if (what === 'nothing') return { from: 0, until: first }
  return what >= first && (what - first) % slots === 0 ? { from: what, until: what + slots } : undefined
}
