import type { JobView, RunSummary, StatusView, VmView } from '../agent/view.ts'
import { timeWords } from '../agent/words.ts'
import { oneLine } from '../model/shown.ts'

const mostJobs = 20
const mostVms = 15
const mostTroubles = 8

/** Pure: the summary of a route in one line, what is wrong first. */
export function digestTitle({ vms, troubles }: StatusView, runs: readonly RunSummary[]): string {
  const behind = vms.breach === 0 ? 'no VM behind its RPO' : `${counted(vms.breach, 'VM')} behind RPO`
  const good = runs.filter(({ outcome }) => outcome === 'protected').length
  const made = runs.length === 0 ? 'no runs' : `${good} of ${counted(runs.length, 'run')} protected`
  const told = troubles.length === 0 ? [] : [counted(troubles.length, 'trouble')]
  return ['summary', [behind, made, ...told].join(', ')].join(': ')
}

/** Pure: runs and their outcomes per job, VMs behind, troubles and what is owed, in one screen. Times are of the zone, else of the system. */
export function digestText(
  status: StatusView,
  runs: readonly RunSummary[],
  from: number,
  to: number,
  timeZone?: string,
): string {
  const time = (at: number): string => timeWords(at, timeZone)
  const { vms, behind, troubles, owed, outbox } = status
  const open = [
    ...(owed === 0
      ? []
      : [`${counted(owed, 'obligation')} of earlier runs could not be settled: vmbackup recover`]),
    ...(outbox.failing === 0 ? [] : [`${counted(outbox.failing, 'message')} could not be sent yet`]),
  ]
  return [
    `From ${time(from)} to ${time(to)} (${zoneOf(timeZone)})`,
    '',
    `VMs by RPO: ${vms.ok} in time, ${vms.warning} soon behind, ${vms.breach} behind, ${vms.none} without an RPO`,
    ...part('Jobs', jobLines(status.jobs, runs, to)),
    ...part(
      'VMs behind',
      shortened(behind, mostVms, (vm) => vmLine(vm, to, time)),
    ),
    ...part(
      'Troubles',
      shortened(troubles, mostTroubles, ({ matter, since, what }) => [
        `${matter}, since ${time(Date.parse(since))}: ${oneLine(what, 160)}`,
      ]),
    ),
    ...part('Left open', open),
    ...(behind.length + troubles.length + open.length === 0 ? ['', 'Nothing needs you.'] : []),
  ].join('\n')
}

function part(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ['', title, ...lines.map((line) => `  ${line}`)]
}

function shortened<T>(all: readonly T[], most: number, lines: (one: T) => string[]): string[] {
  const more = all.length - most
  return [...all.slice(0, most).flatMap(lines), ...(more > 0 ? [`and ${more} more`] : [])]
}

function jobLines(jobs: readonly JobView[], runs: readonly RunSummary[], now: number): string[] {
  const named = new Set(jobs.map(({ name }) => name))
  const width = Math.max(0, ...[...named].map((name) => name.length))
  const others = runs.filter(({ job }) => job === undefined || !named.has(job))
  return [
    ...shortened(jobs, mostJobs, (job) => jobLine(job, runs, width, now)),
    ...(others.length === 0 ? [] : [`of no job: ${outcomes(others)}`]),
  ]
}

function jobLine(job: JobView, all: readonly RunSummary[], width: number, now: number): string[] {
  const runs = all
    .filter((run) => run.job === job.name)
    .toSorted((one, other) => Date.parse(one.finishedAt) - Date.parse(other.finishedAt))
  const age =
    job.provedAsOf === undefined
      ? 'nothing proved yet'
      : `proved ${ageWords(now - Date.parse(job.provedAsOf))} ago`
  const state = job.state === 'paused' ? ', paused' : ''
  const bad = runs.findLast((run) => run.outcome !== 'protected' && run.why !== undefined)
  return [
    `${job.name.padEnd(width)}  ${age}; ${outcomes(runs)}${state}`,
    ...(bad === undefined ? [] : [`${' '.repeat(width)}  ${bad.outcome}: ${oneLine(bad.why ?? '', 160)}`]),
  ]
}

function outcomes(runs: readonly RunSummary[]): string {
  const counts = [...Map.groupBy(runs, ({ outcome }) => outcome)].map(
    ([word, ones]) => `${ones.length} ${word}`,
  )
  return counts.length === 0 ? 'no runs' : `${counted(runs.length, 'run')}: ${counts.join(', ')}`
}

function vmLine(vm: VmView, now: number, time: (at: number) => string): string[] {
  const proved =
    vm.provedAsOf === undefined ? 'nothing proved' : `proved ${ageWords(now - Date.parse(vm.provedAsOf))} ago`
  const rpo = vm.rpoMs === undefined ? '' : `, RPO ${ageWords(vm.rpoMs)}`
  const breach =
    vm.rpo === 'warning' && vm.breachAt !== undefined ? `, behind at ${time(Date.parse(vm.breachAt))}` : ''
  const why = vm.why === undefined ? '' : `: ${oneLine(vm.why, 120)}`
  return [
    `${oneLine(vm.name, 60)}${vm.job === undefined ? '' : ` (${vm.job})`}  ${proved}${rpo}${breach}${why}`,
  ]
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}

function ageWords(ms: number): string {
  const minutes = Math.max(0, Math.floor(ms / 60_000))
  const [days, hours] = [Math.floor(minutes / 1440), Math.floor(minutes / 60) % 24]
  if (days > 0) return `${days} d ${hours} h`
  return hours > 0 ? `${hours} h ${minutes % 60} min` : `${minutes} min`
}

function zoneOf(timeZone: string | undefined): string {
  return timeZone ?? new Intl.DateTimeFormat('en').resolvedOptions().timeZone
}
