import type { Emit, RunEvent } from '../run/event.ts'
import { comparisonWords, durationWords } from './words.ts'

/** Shows a run while it goes on. */
export interface Progress {
  show: Emit
  end(): void
}

export const noProgress: Progress = { show: () => undefined, end: () => undefined }

/** Nothing but warnings: the result for people does not repeat them, and an unverified engine must not pass unseen. */
export function warningsOnly(write: (text: string) => void): Progress {
  return {
    show(event) {
      if (event.kind === 'note' && event.severity === 'warning') write(`warning: ${event.text}\n`)
    },
    end: () => undefined,
  }
}

/** One line per event that a person wants in a mail from cron. */
export function plainProgress(write: (text: string) => void, now: () => number): Progress {
  const began = now()
  return {
    show(event) {
      const line = lineFor(event)
      if (line !== undefined) write(`[${durationWords(now() - began).padStart(8)}] ${line}\n`)
    },
    end: () => undefined,
  }
}

/** An event in words, or nothing for what only matters live. */
export function lineFor(event: RunEvent): string | undefined {
  switch (event.kind) {
    case 'run began':
      return `run ${event.run}`
    case 'step ended':
      return event.error === undefined
        ? `${event.step}: ${durationWords(event.ms)}`
        : `${event.step}: failed after ${durationWords(event.ms)}: ${event.error}`
    case 'vm':
      return `${event.vm.name}: ${event.did} (${event.done}/${event.of})`
    case 'note':
      return event.severity === 'warning' ? `warning: ${event.text}` : event.text
    case 'left open':
      return `still owed: ${event.what}: ${event.why}`
    case 'point made':
      return `recovery point complete: ${event.manifest} on the secondary volume`
    case 'compared':
      return comparisonWords(event.comparison)
    case 'points withdrawn':
    case 'step began':
    case 'waiting':
    case 'settled':
    case 'run ended':
      return undefined
    default:
      return event satisfies never
  }
}
