import type { StatusView, VmView } from '../agent/view.ts'
import { oneLine } from '../model/shown.ts'
import type { Look } from './look.ts'
import { table } from './table.ts'
import { ageWords, clockWords } from './words.ts'

/** When a job's next run ends, as far as can be told; `goesOn`: it is that run which goes on now. */
type NextEnd = { at: number; goesOn: boolean }
export type NextEnds = ReadonlyMap<string, NextEnd>

/** By the job's name. */
export function nextEnds({ jobs, running }: Pick<StatusView, 'jobs' | 'running'>, now: number): NextEnds {
  const ends = new Map<string, NextEnd>()
  for (const { name, nextStart, expectedMs } of jobs) {
    if (nextStart === undefined || expectedMs === undefined) continue
    ends.set(name, { at: Math.max(now, Date.parse(nextStart)) + expectedMs, goesOn: false })
  }
  for (const { job, leftMs } of running) {
    if (leftMs !== undefined) ends.set(job, { at: now + leftMs, goesOn: true })
  }
  return ends
}

/** The VMs, how they are to be protected, and how they are. */
export function renderVms(vms: readonly VmView[], ends: NextEnds, look: Look): string {
  if (vms.length === 0) return 'there is no such VM'
  return table(
    ['VM', 'POLICY', 'JOB', 'STATE', 'PROVED AS OF', 'AGE', 'RPO', 'FORECAST', 'NEXT RUN', 'REASON'],
    vms.map((vm) => [
      vm.name,
      vm.policy ?? '-',
      vm.job ?? '-',
      paintState(vm, look),
      vm.provedAsOf === undefined ? 'never' : clockWords(vm.provedAsOf, look),
      ageOf(vm, look),
      rpoOf(vm),
      forecastWords(vm, ends, look),
      vm.nextStart === undefined ? '-' : clockWords(vm.nextStart, look),
      oneLine(vm.why ?? '', 160),
    ]),
    look.columns,
  )
}

/** The VMs that a status names: what is wrong with their RPO and nothing else. */
export function renderBehind(vms: readonly VmView[], ends: NextEnds, look: Look): string {
  return table(
    ['VM', 'JOB', 'AGE', 'RPO', 'FORECAST', 'REASON'],
    vms.map((vm) => [
      vm.name,
      vm.job ?? '-',
      ageOf(vm, look),
      rpoOf(vm),
      forecastWords(vm, ends, look),
      oneLine(vm.why ?? '', 160),
    ]),
    look.columns,
  )
}

/** When its RPO breaks and what becomes of it before, or that it holds. */
function forecastWords(vm: VmView, ends: NextEnds, look: Look): string {
  const { paint } = look
  const at = vm.breachAt === undefined ? '' : clockWords(vm.breachAt, look)
  switch (vm.rpo) {
    case 'none':
      return '-'
    case 'breach':
      return paint.bad(`${at === '' ? 'never proved' : `broken since ${at}`}, ${nextWords(vm, ends, look)}`)
    case 'warning':
      return paint.doubtful(
        `${at === '' ? 'about to break' : `breaks at ${at}`}, ${nextWords(vm, ends, look)}`,
      )
    case 'ok':
      return paint.good('ok')
    default:
      return vm.rpo satisfies never
  }
}

function nextWords({ job, nextStart }: VmView, ends: NextEnds, look: Look): string {
  if (job === undefined) return 'no job selects it'
  const end = ends.get(job)
  if (end !== undefined) {
    const at = clockWords(new Date(end.at).toISOString(), look)
    return end.goesOn ? `a run ends ${at}` : `next run ends ${at}`
  }
  return nextStart === undefined ? 'no run is planned' : `next run starts ${clockWords(nextStart, look)}`
}

function ageOf({ provedAsOf }: VmView, { now }: Look): string {
  return provedAsOf === undefined ? '-' : ageWords(now - Date.parse(provedAsOf))
}

function rpoOf({ rpoMs }: VmView): string {
  return rpoMs === undefined ? '-' : ageWords(rpoMs)
}

function paintState({ state }: VmView, { paint }: Look): string {
  if (state === 'protected') return paint.good(state)
  return state === 'failed' ? paint.bad(state) : paint.faint(state)
}
