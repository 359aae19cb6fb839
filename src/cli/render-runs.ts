import type { RunSummary } from '../agent/view.ts'
import { oneLine } from '../model/shown.ts'
import type { Look } from './look.ts'
import { outcomePaint } from './paint.ts'
import { table } from './table.ts'
import { clockWords, countWords, durationWords, pairWords } from './words.ts'

/** Runs that have ended, one to a line. */
export function renderRuns(runs: readonly RunSummary[], look: Look): string {
  if (runs.length === 0) return 'no run has ended yet'
  return table(
    [...head, 'VOLUMES', 'REASON'],
    runs.map((run) => [...beginning(run, look), pairWords(run.pair), reasonOf(run)]),
    look.columns,
  )
}

/** The same without what fills a terminal. */
export function renderLastRuns(runs: readonly RunSummary[], look: Look): string {
  if (runs.length === 0) return 'no run has ended yet'
  return table(
    [...head, 'REASON'],
    runs.map((run) => [...beginning(run, look), reasonOf(run)]),
    look.columns,
  )
}

const head = ['RUN', 'JOB', 'OUTCOME', 'STARTED', 'TOOK', 'PROTECTED']

function beginning(run: RunSummary, look: Look): string[] {
  return [
    run.run,
    run.job ?? '-',
    outcomePaint(run.outcome, look.paint)(run.outcome),
    clockWords(run.startedAt, look),
    durationWords(Date.parse(run.finishedAt) - Date.parse(run.startedAt)),
    run.vms.protected + run.vms.failed === 0 ? '-' : countWords(run.vms),
  ]
}

function reasonOf({ why = '' }: RunSummary): string {
  return oneLine(why, 160)
}
