import type { JobView, RunSummary } from '../agent/view.ts'
import type { Look } from './look.ts'
import { outcomePaint } from './paint.ts'
import { table } from './table.ts'
import { ageWords, clockWords, countWords, pairWords } from './words.ts'

/** The jobs with all that is set for them: one row for each of their pairs. */
export function renderJobs(jobs: readonly JobView[], look: Look): string {
  const rows = jobs.flatMap((job) =>
    job.pairs.map((pair, index) =>
      index === 0 ? [...standing(job, look), job.schedule, pairWords(pair)] : [...blank, '', pairWords(pair)],
    ),
  )
  return table([...standingHead, 'SCHEDULE', 'VOLUMES'], rows, look.columns)
}

/** The jobs and how they stand. */
export function renderStanding(jobs: readonly JobView[], look: Look): string {
  const rows = jobs.map((job) => standing(job, look))
  return table(standingHead, rows, look.columns)
}

const standingHead = ['JOB', 'STATE', 'NEXT RUN', 'LAST RUN', 'OLDEST POINT', 'RPO', 'PROTECTED']
const blank = standingHead.map(() => '')

function standing(job: JobView, look: Look): string[] {
  const { protected: good, failed } = job.vms
  const vms = good + failed === 0 ? '-' : countWords(job.vms)
  return [
    job.name,
    paintState(job, look),
    job.nextStart === undefined ? '-' : clockWords(job.nextStart, look),
    job.lastRun === undefined ? 'none yet' : lastWords(job.lastRun, look),
    job.provedAsOf === undefined ? '-' : ageWords(look.now - Date.parse(job.provedAsOf)),
    job.rpoMs === undefined ? '-' : ageWords(job.rpoMs),
    failed === 0 ? vms : look.paint.bad(vms),
  ]
}

function lastWords({ outcome, finishedAt }: RunSummary, look: Look): string {
  return `${outcomePaint(outcome, look.paint)(outcome)} ${clockWords(finishedAt, look)}`
}

function paintState({ state }: JobView, { paint }: Look): string {
  if (state === 'running') return paint.strong(state)
  return state === 'paused' ? paint.doubtful(state) : state
}
