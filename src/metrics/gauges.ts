import type { JobView, StatusView, VmView } from '../agent/view.ts'
import { outcomes } from './run-metrics.ts'

/** What one look at the agent shows. */
export interface Seen {
  status: StatusView
  jobs: readonly JobView[]
  vms: readonly VmView[]
  /** The VMs that get series of their own. */
  shown: readonly VmView[]
  /** Epoch milliseconds by job. */
  due: ReadonlyMap<string, number>
  /** Milliseconds. */
  lastOverlay(vm: string): number | undefined
}

/** A value and its labels; no series where the value is not known. */
type Sample = [value: number | undefined, labels?: Record<string, string>]

export interface GaugeKind {
  name: string
  help: string
  labels: readonly string[]
  samples(seen: Seen): Sample[]
}

// Prometheus has a label `job` of its own, and renames one that is scraped: the agent's jobs are `job_name`.
const ofJob = ['job_name'] as const
const ofVm = ['job_name', 'vm', 'vm_id'] as const

const jobStates: readonly JobView['state'][] = ['waiting', 'queued', 'running', 'paused', 'by hand']
const rpoStates: readonly VmView['rpo'][] = ['ok', 'warning', 'breach', 'none']

/** All gauges but those of the process. Times are points in time, so that an age goes on growing when the agent does not. */
export const gauges: readonly GaugeKind[] = [
  gauge('build_info', 'The program; always 1.', ['version'], ({ status }) => [
    [1, { version: status.version }],
  ]),
  gauge('troubles', 'Things that keep the agent from its work.', [], ({ status }) => [
    [status.troubles.length],
  ]),
  gauge('trouble_since_timestamp_seconds', 'Since when there is this trouble.', ['matter'], ({ status }) =>
    status.troubles.map(({ matter, since }) => [at(since), { matter }]),
  ),
  gauge('owed_obligations', 'What runs owed and could not settle.', [], ({ status }) => [[status.owed]]),
  gauge('outbox_waiting_messages', 'Messages that are not sent yet.', [], ({ status }) => [
    [status.outbox.waiting],
  ]),
  gauge('outbox_failing_messages', 'Messages that could not be sent so far.', [], ({ status }) => [
    [status.outbox.failing],
  ]),
  perJob('job_state', '1 for the state that the job is in.', ['state'], ({ name, state }) =>
    jobStates.map((one) => [one === state ? 1 : 0, { job_name: name, state: one }]),
  ),
  timeOfJob('job_next_start_timestamp_seconds', 'The next start by schedule.', ({ nextStart }) => nextStart),
  gauge(
    'job_due_timestamp_seconds',
    'The start that was promised: stays in the past until a run has begun.',
    ofJob,
    ({ due }) => [...due].map(([job_name, ms]) => [ms / 1000, { job_name }]),
  ),
  perJob('job_expected_seconds', 'How long a run takes, by the last ones.', [], (job) => [
    [seconds(job.expectedMs), { job_name: job.name }],
  ]),
  gauge('job_running_since_timestamp_seconds', 'When the run that goes on was started.', ofJob, running),
  timeOfJob(
    'job_last_run_timestamp_seconds',
    'The end of the last run.',
    ({ lastRun }) => lastRun?.finishedAt,
  ),
  perJob('job_last_run_outcome', '1 for the outcome of the last run.', ['outcome'], ({ name, lastRun }) =>
    lastRun === undefined
      ? []
      : outcomes.map((one) => [one === lastRun.outcome ? 1 : 0, { job_name: name, outcome: one }]),
  ),
  timeOfJob(
    'job_last_success_timestamp_seconds',
    'The end of the last run that protected all of its VMs.',
    ({ lastSuccess }) => lastSuccess,
  ),
  gauge(
    'job_proved_point_timestamp_seconds',
    "The instant of the newest among the job's VMs' proved points.",
    ofJob,
    newestPoints,
  ),
  timeOfJob(
    'job_oldest_proved_point_timestamp_seconds',
    "The instant of the oldest among the newest proved points of each of the job's VMs.",
    ({ provedAsOf }) => provedAsOf,
  ),
  perJob('job_rpo_seconds', 'How old a proved point may become.', [], (job) => [
    [seconds(job.rpoMs), { job_name: job.name }],
  ]),
  perJob('job_vms', 'VMs by what the newest runs made of them.', ['state'], ({ name, vms }) => [
    [vms.protected, { job_name: name, state: 'protected' }],
    [vms.failed, { job_name: name, state: 'failed' }],
    [vms.leftOut, { job_name: name, state: 'left out' }],
  ]),
  gauge('job_rpo_vms', 'VMs by how they stand against their RPO.', ['job_name', 'rpo'], vmsByRpo),
  gauge('unselected_vms', 'VMs that no job selects.', [], ({ vms }) => [
    [vms.filter(({ job }) => job === undefined).length],
  ]),
  gauge('vms_without_series', 'VMs of jobs that have no series of their own here.', [], ({ vms, shown }) => [
    [vms.filter(({ job }) => job !== undefined).length - shown.length],
  ]),
  perVm('vm_proved_point_timestamp_seconds', 'The instant of its newest proved point.', (vm) =>
    at(vm.provedAsOf),
  ),
  perVm('vm_rpo_seconds', 'How old its proved point may become.', (vm) => seconds(vm.rpoMs)),
  perVm('vm_last_overlay_seconds', 'How long it ran on the last overlay that was merged.', (vm, seen) =>
    seconds(seen.lastOverlay(vm.id)),
  ),
]

function gauge(
  name: string,
  help: string,
  labels: readonly string[],
  samples: GaugeKind['samples'],
): GaugeKind {
  return { name: `vmbackup_${name}`, help, labels, samples }
}

function perJob(
  name: string,
  help: string,
  labels: readonly string[],
  samples: (job: JobView) => Sample[],
): GaugeKind {
  return gauge(name, help, [...ofJob, ...labels], ({ jobs }) => jobs.flatMap(samples))
}

function timeOfJob(name: string, help: string, time: (job: JobView) => string | undefined): GaugeKind {
  return perJob(name, help, [], (job) => [[at(time(job)), { job_name: job.name }]])
}

function perVm(name: string, help: string, value: (vm: VmView, seen: Seen) => number | undefined): GaugeKind {
  return gauge(name, help, ofVm, (seen) =>
    seen.shown.map((vm) => [value(vm, seen), { job_name: vm.job ?? '', vm: vm.name, vm_id: vm.id }]),
  )
}

function at(time: string | undefined): number | undefined {
  return time === undefined ? undefined : Date.parse(time) / 1000
}

function seconds(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : ms / 1000
}

/** Of a job over several pairs the run that began first. */
function running({ status }: Seen): Sample[] {
  const first = new Map<string, number>()
  for (const { job, startedAt } of status.running) {
    first.set(job, Math.min(first.get(job) ?? Number.POSITIVE_INFINITY, Date.parse(startedAt) / 1000))
  }
  return [...first].map(([job_name, since]) => [since, { job_name }])
}

function newestPoints({ vms }: Seen): Sample[] {
  const newest = new Map<string, number>()
  for (const { job, provedAsOf } of vms) {
    const proved = at(provedAsOf)
    if (job !== undefined && proved !== undefined) newest.set(job, Math.max(newest.get(job) ?? 0, proved))
  }
  return [...newest].map(([job_name, proved]) => [proved, { job_name }])
}

function vmsByRpo({ jobs, vms }: Seen): Sample[] {
  const counts = new Map(jobs.map(({ name }) => [name, { ok: 0, warning: 0, breach: 0, none: 0 }]))
  for (const { job, rpo } of vms) {
    const ofThis = counts.get(job ?? '')
    if (ofThis !== undefined) ofThis[rpo] += 1
  }
  return [...counts].flatMap(([job_name, ofThis]) =>
    rpoStates.map((rpo): Sample => [ofThis[rpo], { job_name, rpo }]),
  )
}
