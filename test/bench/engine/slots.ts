import type { Job } from '../../../src/lab/engine/world/records.ts'

/**
 * How many of `parallel` slots were busy, in percent, as the engine saw it, between the first start and the last one: while something was
 * waiting.
 */
export interface Slots {
  snapshots: number
  merges: number
}

/** What became of the slots, by the jobs whose correlation ids begin so. */
export function slotsOf(jobs: readonly Job[], tags: string, parallel: number): Slots {
  const ours = jobs.filter(({ correlationId }) => correlationId.startsWith(tags))
  const of = (words: RegExp) => ours.filter(({ description }) => words.test(description)).map(spanOf)
  return {
    snapshots: busyPercent(of(/^Creating/), parallel),
    merges: busyPercent(of(/^Removing/), parallel),
  }
}

interface Span {
  from: number
  to: number
}

function spanOf({ started, ended }: Job): Span {
  if (ended === undefined) throw new Error('a job has not ended')
  return { from: started.getTime(), to: ended.getTime() }
}

function busyPercent(spans: readonly Span[], parallel: number): number {
  const first = Math.min(...spans.map(({ from }) => from))
  const last = Math.max(...spans.map(({ from }) => from))
  const busy = spans.reduce((sum, { from, to }) => sum + Math.min(to, last) - from, 0)
  return (100 * busy) / (parallel * (last - first))
}
