import type { Job } from '../../../src/lab/engine/world/records.ts'

/** How the slots of one kind of work were used, as the engine saw it. */
export interface Slots {
  /** Of `parallel` slots, in percent, between the first start and the last one: while something was waiting. */
  busyPercent: number
}

/** What became of the slots of snapshots and of merges, by the jobs whose correlation ids begin so. */
export function slotsOf(
  jobs: readonly Job[],
  tags: string,
  parallel: number,
): { snapshots: Slots; merges: Slots } {
  const ours = jobs.filter(({ correlationId }) => correlationId.startsWith(tags))
  const of = (words: RegExp) => ours.filter(({ description }) => words.test(description)).map(spanOf)
  return {
    snapshots: slots(of(/^Creating/), parallel),
    merges: slots(of(/^Removing/), parallel),
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

function slots(spans: readonly Span[], parallel: number): Slots {
  const first = Math.min(...spans.map(({ from }) => from))
  const last = Math.max(...spans.map(({ from }) => from))
  const busy = spans.reduce((sum, { from, to }) => sum + Math.min(to, last) - from, 0)
  return { busyPercent: (100 * busy) / (parallel * (last - first)) }
}
