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
    ['RUN', 'JOB', 'OUTCOME', 'STARTED', 'TOOK', 'PROTECTED', 'VOLUMES', 'REASON'],
    runs.map((run) => [
      run.run,
      run.job ?? '-',
      outcomePaint(run.outcome, look.paint)(run.outcome),
      clockWords(run.startedAt, look),
      durationWords(Date.parse(run.finishedAt) - Date.parse(run.startedAt)),
      run.vms.protected + run.vms.failed === 0 ? '-' : countWords(run.vms),
      pairWords(run.pair),
      oneLine(run.why ?? '', 160),
    ]),
    look.columns,
  )
}
