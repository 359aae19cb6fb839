import { openUntil, type Window } from '../model/window.ts'

/** When no run of a job may start. */
export interface Blackout {
  windows: readonly Window[]
  timeZone: string
}

const minuteMs = 60_000
/** Of a blackout that ends at all; `openUntil` looks no further. */
const longestMs = 8 * 24 * 60 * minuteMs

/** The first moment from `at` on at which a run may start; undefined when there is none in more than a week. */
export function firstFree({ windows, timeZone }: Blackout, at: number): number | undefined {
  const end = openUntil(windows, at, timeZone) ?? at
  return openUntil(windows, end, timeZone) === undefined ? end : undefined
}

/** When the blackout began that holds `at`; undefined when none does. */
export function beganAt({ windows, timeZone }: Blackout, at: number): number | undefined {
  const end = openUntil(windows, at, timeZone)
  if (end === undefined) return undefined
  let [before, inside] = [at - longestMs, at]
  while (inside - before > 1) {
    const middle = Math.floor((before + inside) / 2)
    // The same blackout, seen from further back, ends at the same time.
    if (openUntil(windows, middle, timeZone) === end) inside = middle
    else before = middle
  }
  return inside
}

/** A moment up to `ms` after `from`, which is in no blackout, and before the next one begins. */
export function delayed(blackout: Blackout, from: number, ms: number): number {
  const begins = beginsBetween(blackout, from, from + ms)
  return begins === undefined ? from + ms : Math.max(from, begins - 1000)
}

/** A moment up to `ms` before `to`, with no blackout between them; both are in none. */
export function advanced(blackout: Blackout, to: number, ms: number): number {
  const from = to - ms
  const alone = firstFree(blackout, from) === from && beginsBetween(blackout, from, to) === undefined
  return alone ? from : to
}

/** When the first one begins after `from`, which is in none, and not after `to`; for stretches of a day or so. */
function beginsBetween({ windows, timeZone }: Blackout, from: number, to: number): number | undefined {
  if (windows.length === 0) return undefined
  // Windows begin and end with minutes, and so does every change of the clocks.
  for (let at = Math.ceil(from / minuteMs) * minuteMs; at <= to; at += minuteMs)
    if (openUntil(windows, at, timeZone) !== undefined) return at
  return undefined
}
