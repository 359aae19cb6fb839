import type { JobConfig } from '../config/keys.ts'
import { known } from '../model/known.ts'
import { pairView } from './pair-view.ts'
import { isoTime } from './progress.ts'
import type { RunSummary } from './view.ts'

/** Runs of one job that began so close to each other were begun together. */
const togetherMs = 60_000

/**
 * The runs of a job's pairs that were begun together as one: `protected` only if all of them are, else `partly protected` if anybody is
 * protected. Undefined for none.
 */
export function foldRun(runs: readonly RunSummary[]): RunSummary | undefined {
  const worst =
    runs.find(({ vms }) => vms.protected === 0) ??
    runs.find(({ outcome }) => outcome !== 'protected') ??
    runs[0]
  if (worst === undefined) return undefined
  const sum = (of: (vms: RunSummary['vms']) => number): number =>
    runs.reduce((all, { vms }) => all + of(vms), 0)
  const vms = {
    protected: sum((one) => one.protected),
    failed: sum((one) => one.failed),
    leftOut: sum((one) => one.leftOut),
  }
  const some = worst.outcome !== 'protected' && vms.protected > 0 && worst.outcome !== 'cancelled'
  return known({
    ...worst,
    outcome: some ? 'partly protected' : worst.outcome,
    startedAt: runs.map(({ startedAt }) => startedAt).toSorted()[0] ?? worst.startedAt,
    finishedAt:
      runs
        .map(({ finishedAt }) => finishedAt)
        .toSorted()
        .at(-1) ?? worst.finishedAt,
    vms,
  })
}

/** True when every pair has a recovery point that protects somebody. */
export function isGood(runs: readonly RunSummary[]): boolean {
  return runs.length > 0 && runs.every(({ vms }) => vms.protected > 0)
}

/** The runs of a job, newest first, by what was begun together. */
export function togetherIn(runs: readonly RunSummary[]): RunSummary[][] {
  const groups: RunSummary[][] = []
  for (const run of runs) {
    const group = groups.at(-1)
    const [first] = group ?? []
    const near = first !== undefined && Date.parse(first.startedAt) - Date.parse(run.startedAt) < togetherMs
    const isNew = group?.every(({ pair }) => JSON.stringify(pair) !== JSON.stringify(run.pair)) === true
    if (group !== undefined && near && isNew) group.push(run)
    else groups.push([run])
  }
  return groups
}

/** What could not even begin, as a run: the next try waits as after any other. */
export function notBegun(
  job: JobConfig,
  startedAt: number,
  now: number,
  why = 'no run was made',
): RunSummary {
  const [pair = { primary: '', secondary: { host: '', volume: '' } }] = job.pairs
  return {
    run: 'none',
    job: job.name,
    pair: pairView(pair),
    outcome: 'failed',
    startedAt: isoTime(startedAt),
    finishedAt: isoTime(now),
    vms: { protected: 0, failed: 0, leftOut: 0 },
    why,
  }
}
