import { lengthWords } from './length-words.ts'
import type { Due, ScheduleFacts } from './schedule.ts'

const minuteMs = 60_000
/** What lies further ahead than clocks are set by hand or by the network was noted by a clock that was wrong. */
const aheadMs = 5 * minuteMs

/** A moment that was noted in the past; undefined when it lies ahead, because the clock was set back. */
export function noted(at: number | undefined, now: number): number | undefined {
  return at === undefined || at > now + aheadMs ? undefined : at
}

/** The next try after runs that protected nobody: after `retryMs`, and up to 8 times as much where that was of no use. */
export function nextTry(retryMs: number, { lastRun, failures, now }: ScheduleFacts): Due | undefined {
  if (failures === 0 || lastRun === undefined || retryMs === 0) return undefined
  const wait = retryMs * Math.min(8, 2 ** (failures - 1))
  const at = (noted(lastRun.finishedAt, now) ?? now) + wait
  return { at, why: `again, ${lengthWords(wait)} after a run that protected no VM` }
}
