/** Bounds how fast all readers that share it may read. */
export interface Pace {
  /** Returns when so many bytes may be read; throws the signal's reason when aborted. */
  take(bytes: number, signal: AbortSignal): Promise<void>
}

interface Clock {
  /** Epoch milliseconds. */
  now(): number
  sleep(ms: number, signal: AbortSignal): Promise<void>
}

/** At most so many bytes a second in the long run, one second's worth at once; without a number as fast as it goes. */
export function paceOf(bytesPerSecond: number | undefined, clock: Clock): Pace {
  let freeAt = 0
  return {
    async take(bytes, signal) {
      signal.throwIfAborted()
      if (bytesPerSecond === undefined) return
      const now = clock.now()
      freeAt = Math.max(freeAt, now - 1_000) + (bytes / bytesPerSecond) * 1_000
      const waitMs = freeAt - now
      if (waitMs > 0) await clock.sleep(waitMs, signal)
    },
  }
}
