import type { Pair } from '../model/pair.ts'
import type { RunEvent } from '../run/event.ts'
import { pairView } from './pair-view.ts'
import type { RunProgress } from './view.ts'

/** Of a run that is about to begin. `startedAt` in epoch milliseconds. */
export function beginProgress(job: string, pair: Pair, startedAt: number): RunProgress {
  return { job, pair: pairView(pair), startedAt: isoTime(startedAt) }
}

/** What a run's event changes in what is shown of it. */
export function foldProgress(progress: RunProgress, event: RunEvent, now: number): RunProgress {
  switch (event.kind) {
    case 'run began':
      return { ...progress, run: event.run }
    case 'step began': {
      const { waiting: _w, done: _d, of: _o, leftMs: _l, ...rest } = progress
      return { ...rest, step: event.step, stepStartedAt: isoTime(now) }
    }
    case 'waiting': {
      const { leftMs: _l, ...rest } = progress
      const left = event.leftMs === undefined ? {} : { leftMs: event.leftMs }
      return { ...rest, waiting: event.what, ...left }
    }
    case 'vm':
      return { ...progress, done: event.done, of: event.of }
    default:
      return progress
  }
}

export function isoTime(at: number): string {
  return new Date(at).toISOString()
}
