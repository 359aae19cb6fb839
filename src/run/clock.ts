import { setTimeout as sleep } from 'node:timers/promises'

/** Time as an argument, so that tests need not wait. */
export interface Clock {
  /** Epoch milliseconds. */
  now(): number
  /** Rejects with the signal's reason when it is aborted. */
  sleep(ms: number, signal: AbortSignal): Promise<void>
}

export const systemClock: Clock = {
  now: () => Date.now(),
  async sleep(ms, signal) {
    signal.throwIfAborted()
    try {
      await sleep(ms, undefined, { signal })
    } catch (error) {
      // Node wraps the reason in an AbortError; callers want the reason itself.
      signal.throwIfAborted()
      throw error
    }
  },
}
