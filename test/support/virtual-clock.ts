import { setImmediate as turn } from 'node:timers/promises'
import type { Clock } from '../../src/run/clock.ts'

interface Sleeper {
  until: number
  wake(): void
}

/** A clock that stands still until all that is awake has done what it can; then it jumps to the next moment that somebody sleeps for. */
export interface VirtualClock extends Clock {
  /** Lets time pass up to that moment. */
  passUntil(at: number): Promise<void>
  /** Somebody sets the clock: what sleeps does not notice. */
  set(at: number): void
}

/** Turns of the event loop within which everything that is awake comes to rest, where nothing waits for files or sockets. */
const turns = 3

export function virtualClock(start: number): VirtualClock {
  let now = start
  /** Of the time that has passed, whatever the clock says. */
  let offset = 0
  const sleepers = new Set<Sleeper>()
  const settle = async (): Promise<void> => {
    for (let left = turns; left > 0; left -= 1) await turn()
  }
  return {
    now: () => now + offset,
    async sleep(ms, signal) {
      signal.throwIfAborted()
      return new Promise((resolve, reject) => {
        const sleeper = { until: now + Math.max(0, ms), wake: () => end(resolve) }
        const end = (by: () => void): void => {
          sleepers.delete(sleeper)
          signal.removeEventListener('abort', aborted)
          by()
        }
        const aborted = (): void => end(() => reject(signal.reason))
        signal.addEventListener('abort', aborted)
        sleepers.add(sleeper)
      })
    },
    async passUntil(at) {
      await settle()
      for (;;) {
        const next = [...sleepers].toSorted((a, b) => a.until - b.until)[0]
        if (next === undefined || next.until + offset > at) break
        now = Math.max(now, next.until)
        next.wake()
        await settle()
      }
      now = Math.max(now, at - offset)
    },
    set(at) {
      offset += at - (now + offset)
    },
  }
}
