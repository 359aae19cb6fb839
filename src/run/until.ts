import { TimedOut } from '../model/errors.ts'
import type { Clock } from './clock.ts'

/**
 * Looks again and again until `look` returns something. Throws TimedOut, naming what was waited for and what was seen
 * last, when the deadline passes; throws the signal's reason when aborted. The only loop that waits for one thing.
 */
export async function until<T>(
  wait: {
    what: string
    clock: Clock
    intervalMs: number
    deadlineMs: number
    signal: AbortSignal
    hint?: string
    lastSeen?: () => string
  },
  look: () => Promise<T | undefined>,
): Promise<T> {
  const end = wait.clock.now() + wait.deadlineMs
  for (;;) {
    wait.signal.throwIfAborted()
    const found = await look()
    if (found !== undefined) return found
    if (wait.clock.now() + wait.intervalMs > end) {
      const seen = wait.lastSeen === undefined ? '' : `; last seen: ${wait.lastSeen()}`
      throw new TimedOut(
        `waited ${Math.round(wait.deadlineMs / 1000)} s for ${wait.what}${seen}`,
        wait.hint === undefined ? {} : { hint: wait.hint },
      )
    }
    await wait.clock.sleep(wait.intervalMs, wait.signal)
  }
}
