import { TimedOut } from '../model/errors.ts'
import type { Clock } from './clock.ts'
import { within } from './within.ts'

/** A look that is under way when the time is over may still end by itself; what takes longer hangs. */
const hangMs = 30_000
/** Of a timer in Node. */
const longestTimerMs = 2 ** 31 - 1

/**
 * Looks again and again until `look` returns something. Throws TimedOut, naming what was waited for and what was seen
 * last, when the deadline passes; throws the signal's reason when aborted. The only loop that waits for one thing.
 */
export async function until<T>(
  wait: {
    what: string
    clock: Clock
    /** Asked before each pause when it is a function. */
    intervalMs: number | (() => number)
    deadlineMs: number
    signal: AbortSignal
    hint?: string
    lastSeen?: () => string
  },
  look: () => Promise<T | undefined>,
): Promise<T> {
  const end = wait.clock.now() + wait.deadlineMs
  // By the machine's own time: a look into a file system whose client is stuck ends never.
  const hang = AbortSignal.timeout(Math.min(wait.deadlineMs, longestTimerMs))
  const bound = AbortSignal.any([wait.signal, hang])
  for (;;) {
    wait.signal.throwIfAborted()
    // A look may act, such as start a session anew: settling must not begin beside it.
    const found = await within(look(), bound, hangMs).catch((error: unknown) => {
      throw hang.aborted && !wait.signal.aborted ? timedOut(wait, 'the look itself does not end') : error
    })
    if (found !== undefined) return found
    const pauseMs = typeof wait.intervalMs === 'number' ? wait.intervalMs : wait.intervalMs()
    if (wait.clock.now() + pauseMs > end) throw timedOut(wait, wait.lastSeen?.())
    await wait.clock.sleep(pauseMs, wait.signal)
  }
}

function timedOut(
  { deadlineMs, what, hint }: { deadlineMs: number; what: string; hint?: string },
  lastSeen: string | undefined,
): TimedOut {
  const seen = lastSeen === undefined ? '' : `; last seen: ${lastSeen}`
  return new TimedOut(
    `waited ${Math.round(deadlineMs / 1000)} s for ${what}${seen}`,
    hint === undefined ? {} : { hint },
  )
}
