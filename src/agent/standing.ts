import { isBySelection } from '../backup/select.ts'
import type { Report, VmResult } from '../run/report.ts'
import type { VmView } from './view.ts'

/** What is known of a pair's secondary. */
export interface PairStanding {
  /** The run that was the last to write over it; absent when none ever did. */
  writer?: string
  /** Epoch milliseconds: when that run began. */
  writtenAt?: number
  /** What that run says of each VM that it was about; absent when it died before it could say anything. */
  results?: ReadonlyMap<string, VmStanding>
}

/** How a VM stands over all its pairs. */
export type VmStanding = Pick<VmView, 'state' | 'why'> & {
  /** Epoch milliseconds. */
  provedAsOf?: number
  /** Epoch milliseconds: it ought to have been protected, and no copy of it is left since then. */
  lostAt?: number
}

export function pairStanding(last: { run: string; report?: Report } | undefined): PairStanding {
  if (last === undefined) return {}
  const writtenAt = startOf(last.run)
  if (last.report === undefined) return { writer: last.run, writtenAt }
  const each = last.report.vms.flatMap((vm) => {
    const standing = resultOf(vm, writtenAt)
    return standing === undefined ? [] : [[vm.id, standing] as const]
  })
  return { writer: last.run, writtenAt, results: new Map(each) }
}

/** A VM is protected only if it is so on every pair on which it has disks, and as of the same instant: all or nothing. */
export function standingOf(
  id: string,
  vm: Pick<SeenVm, 'pairs' | 'whyNot'>,
  standings: ReadonlyMap<string, PairStanding>,
): VmStanding {
  if (vm.whyNot !== undefined) return { state: 'not selected', why: vm.whyNot }
  const each = vm.pairs.map((pair) => onPair(id, standings.get(pair) ?? {}))
  const worst =
    each.find(({ state }) => state === 'failed') ??
    each.find(({ state }) => state === 'waiting') ??
    each.find(({ state }) => state === 'protected') ??
    each[0]
  if (worst === undefined) return { state: 'waiting' }
  const instants = new Set(each.flatMap(({ provedAsOf }) => provedAsOf ?? []))
  if (worst.state !== 'protected' || instants.size < 2) return worst
  const why =
    'its disks lie on several volumes, whose copies are of different instants: protect them by one job'
  return { state: 'failed', why, lostAt: Math.max(...instants) }
}

/** All that follows from VMs and the standings of their pairs, whatever the time. */
export interface Found {
  /** By VM. */
  standings: ReadonlyMap<string, VmStanding>
  /** By job: the VM whose RPO breaks first; of those that no run has come to yet, by when they were first seen. */
  tightest: ReadonlyMap<string, { provedAsOf?: number; rpoMs: number }>
}

/** A VM as the inventory told it, and since when it is known. */
interface SeenVm {
  name: string
  jobs: string[]
  pairs: string[]
  rpoMs?: number | undefined
  whyNot?: string | undefined
  firstSeenAt: number
}

/** How each VM stands, and the tightest of each job: without an instant where the job has no recovery point yet. */
export function findIn(vms: ReadonlyMap<string, SeenVm>, pairs: ReadonlyMap<string, PairStanding>): Found {
  const standings = new Map([...vms].map(([id, vm]) => [id, standingOf(id, vm, pairs)]))
  const tightest = new Map<string, Tight>()
  for (const [id, { rpoMs, firstSeenAt, jobs }] of vms) {
    const { state, provedAsOf = firstSeenAt } = standings.get(id) ?? { state: 'waiting' }
    if (rpoMs === undefined || (state !== 'protected' && state !== 'waiting')) continue
    const one = { provedAsOf, rpoMs, proved: state === 'protected' }
    for (const job of jobs) tightest.set(job, tighter(tightest.get(job), one))
  }
  const told = [...tightest].map(
    ([job, { proved, provedAsOf, rpoMs }]) => [job, proved ? { provedAsOf, rpoMs } : { rpoMs }] as const,
  )
  return { standings, tightest: new Map(told) }
}

/** `proved`: some VM of the job has a recovery point. */
interface Tight {
  provedAsOf: number
  rpoMs: number
  proved: boolean
}

function tighter(least: Tight | undefined, one: Tight): Tight {
  if (least === undefined) return one
  const first = one.provedAsOf + one.rpoMs < least.provedAsOf + least.rpoMs ? one : least
  return { ...first, proved: least.proved || one.proved }
}

function onPair(id: string, { writer, writtenAt = 0, results }: PairStanding): VmStanding {
  if (writer === undefined) return { state: 'waiting' }
  if (results === undefined) {
    const why = `run ${writer} has overwritten its recovery point and did not live to prove a new one`
    return { state: 'failed', why, lostAt: writtenAt }
  }
  return results.get(id) ?? { state: 'waiting' }
}

/** Only that much is kept of what a run says of a VM; nothing where it was not selected, since it may be by now. */
function resultOf(result: VmResult, writtenAt: number): VmStanding | undefined {
  switch (result.state) {
    case 'protected':
      return { state: 'protected', provedAsOf: Date.parse(result.asOf.earliest) }
    case 'left out':
      return isBySelection(result.why) ? undefined : { state: 'left out', why: result.why }
    case 'failed':
      return { state: 'failed', why: result.why, lostAt: writtenAt }
    default:
      return result satisfies never
  }
}

/** A run's id begins with its start: `20261121T001500Z-...`. */
function startOf(run: string): number {
  const [, date, hours, minutes, seconds] = /^(\d{8})T(\d\d)(\d\d)(\d\d)Z/.exec(run) ?? []
  const day = `${date?.slice(0, 4)}-${date?.slice(4, 6)}-${date?.slice(6)}`
  const at = Date.parse(`${day}T${hours}:${minutes}:${seconds}Z`)
  return Number.isNaN(at) ? 0 : at
}
