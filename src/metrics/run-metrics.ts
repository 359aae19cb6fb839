import { Counter, Histogram, type Registry } from 'prom-client'
import type { RunEvent } from '../run/event.ts'
import type { Outcome, Report } from '../run/report.ts'
import { OverlayLives } from './overlay-lives.ts'

/** All there are. */
export const outcomes = Object.keys({
  protected: 0,
  'partly protected': 0,
  failed: 0,
  refused: 0,
  locked: 0,
  cancelled: 0,
  'usage error': 0,
} satisfies Record<Outcome, 0>)

const acts = ['snapshot', 'merge', 'replication'] as const

/** Counters and histograms of what runs do, fed by their events. */
export class RunMetrics {
  readonly overlays = new OverlayLives()
  readonly #known = new Set<string>()
  readonly #of: ReturnType<typeof metricsOn>

  constructor(registry: Registry) {
    this.#of = metricsOn(registry)
  }

  /** Makes what is counted of a job begin at 0, so that its first step shows. */
  knowJob(job_name: string): void {
    if (this.#known.has(job_name)) return
    this.#known.add(job_name)
    const { runs, comparedBytes, healedFiles, retries, durations, snapshots, merges, overlays } = this.#of
    for (const histogram of [durations, snapshots, merges, overlays]) histogram.zero({ job_name })
    for (const outcome of outcomes) runs.inc({ job_name, outcome }, 0)
    for (const act of acts) retries.inc({ job_name, act }, 0)
    comparedBytes.inc({ job_name }, 0)
    healedFiles.inc({ job_name }, 0)
  }

  /** `now`: epoch milliseconds at which the event is seen. */
  see(job_name: string, pair: string, event: RunEvent, now: number): void {
    this.knowJob(job_name)
    if (event.kind === 'step ended') this.#seeStep(job_name, event)
    else if (event.kind === 'vm') this.#seeVm(job_name, pair, event, now)
    else if (event.kind === 'note' && event.again !== undefined)
      this.#of.retries.inc({ job_name, act: event.again })
    else if (event.kind === 'run ended') this.#seeEnd(job_name, event.report)
  }

  #seeStep(job_name: string, { step, ms, error }: RunEvent & { kind: 'step ended' }): void {
    if (error === undefined) this.#of.steps.observe({ job_name, step }, ms / 1000)
    else this.#of.failedSteps.inc({ job_name, step })
  }

  #seeVm(job_name: string, pair: string, event: RunEvent & { kind: 'vm' }, now: number): void {
    const { retries, snapshots, merges, overlays } = this.#of
    const { did, asked } = event
    if (asked !== undefined) {
      retries.inc({ job_name, act: asked.act }, asked.times - 1)
      if (did === 'snapshot taken') snapshots.observe({ job_name }, asked.ms / 1000)
      if (did === 'merged') merges.observe({ job_name }, asked.ms / 1000)
    }
    const lived = this.overlays.see(event, pair, now)
    if (lived !== undefined) overlays.observe({ job_name }, lived / 1000)
  }

  #seeEnd(job_name: string, { outcome, startedAt, finishedAt, comparison }: Report): void {
    const { runs, durations, comparedBytes, healedFiles } = this.#of
    runs.inc({ job_name, outcome })
    if (outcome === 'protected' || outcome === 'partly protected') {
      durations.observe({ job_name }, Math.max(0, Date.parse(finishedAt) - Date.parse(startedAt)) / 1000)
    }
    if (comparison === undefined) return
    comparedBytes.inc({ job_name }, comparison.bytesRead)
    healedFiles.inc({ job_name }, comparison.healed)
  }
}

const seconds = [1, 2, 5, 10, 20, 30, 60, 120, 300, 600]
const hours = [30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14_400, 28_800, 86_400]

function metricsOn(registry: Registry) {
  const registers = [registry]
  const counter = <L extends string>(name: string, help: string, labelNames: L[]) =>
    new Counter({ name, help, labelNames, registers })
  const histogram = <L extends string>(name: string, help: string, labelNames: L[], buckets: number[]) =>
    new Histogram({ name, help, labelNames, buckets, registers })
  return {
    runs: counter('vmbackup_runs_total', 'Runs that have ended.', ['job_name', 'outcome']),
    durations: histogram(
      'vmbackup_run_duration_seconds',
      'How long runs took that made a recovery point.',
      ['job_name'],
      hours,
    ),
    steps: histogram(
      'vmbackup_step_duration_seconds',
      'How long the steps of runs took that did not fail.',
      ['job_name', 'step'],
      [1, 5, 15, 60, 300, 900, 3600, 14_400],
    ),
    failedSteps: counter('vmbackup_failed_steps_total', 'Steps of runs that failed.', ['job_name', 'step']),
    comparedBytes: counter(
      'vmbackup_compared_bytes_total',
      'Bytes read at each end to compare the copy with its source.',
      ['job_name'],
    ),
    healedFiles: counter(
      'vmbackup_healed_files_total',
      'Files of the copy that differed from their source and were sent again.',
      ['job_name'],
    ),
    retries: counter(
      'vmbackup_retries_total',
      'Snapshots and merges that the engine was asked for once more, and replication that was started again.',
      ['job_name', 'act'],
    ),
    snapshots: histogram(
      'vmbackup_vm_snapshot_seconds',
      "How long a VM's snapshot took, from the request until it was seen to be complete.",
      ['job_name'],
      seconds,
    ),
    merges: histogram(
      'vmbackup_vm_merge_seconds',
      "How long the merge of a VM's snapshot took.",
      ['job_name'],
      hours,
    ),
    overlays: histogram(
      'vmbackup_vm_overlay_seconds',
      'How long a VM ran on an overlay, from the request for its snapshot until it was merged.',
      ['job_name'],
      hours,
    ),
  }
}
