/** Of the time that things take, the pause between two looks at them: a slot stands idle for half of it on average. */
const share = 0.02
/** However short they are: with one more look after each that saw something end, at most ten looks a second. */
const shortestMs = 200
const remembered = 31

/** How often to look at things that take their time, by how long they take. */
export interface Pace {
  /** One of them took so long. */
  took(ms: number): void
  /** The pause until the next look; `youngestMs`: for how long the one begun last has been under way. */
  pauseMs(youngestMs: number): number
}

/** A pace that never pauses longer than `longestMs`, and is slow where nothing ends for longer than is usual. */
export function paceUpTo(longestMs: number): Pace {
  const durations: number[] = []
  return {
    took(ms) {
      durations.push(ms)
      if (durations.length > remembered) durations.shift()
    },
    pauseMs(youngestMs) {
      const sorted = durations.toSorted((a, b) => a - b)
      const usualMs = sorted[Math.floor(sorted.length / 2)] ?? 0
      return Math.min(longestMs, Math.max(shortestMs, Math.round(share * Math.max(usualMs, youngestMs))))
    },
  }
}
