import { isBySelection } from '../backup/select.ts'
import type { Report, VmResult } from '../run/report.ts'
import type { InventoryVm } from './ports.ts'
import type { VmView } from './view.ts'

/** What is known of a pair's secondary. */
export interface PairStanding {
  /** The run that was the last to write over it; absent when none ever did. */
  writer?: string
  /** Epoch milliseconds: when that run began. */
  writtenAt?: number
  /** What that run says of each VM; absent when it died before it could say anything. */
  results?: ReadonlyMap<string, VmResult>
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
  return { writer: last.run, writtenAt, results: new Map(last.report.vms.map((vm) => [vm.id, vm])) }
}

/** A VM is protected only if it is so on every pair on which it has disks, and as of the same instant: all or nothing. */
export function standingOf(vm: InventoryVm, standings: ReadonlyMap<string, PairStanding>): VmStanding {
  if (vm.whyNot !== undefined) return { state: 'not selected', why: vm.whyNot }
  const each = vm.pairs.map((pair) => onPair(vm, standings.get(pair) ?? {}))
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

function onPair({ id }: InventoryVm, { writer, writtenAt = 0, results }: PairStanding): VmStanding {
  if (writer === undefined) return { state: 'waiting' }
  if (results === undefined) {
    const why = `run ${writer} has overwritten its recovery point and did not live to prove a new one`
    return { state: 'failed', why, lostAt: writtenAt }
  }
  const result = results.get(id)
  if (result === undefined) return { state: 'waiting' }
  switch (result.state) {
    case 'protected':
      return { state: 'protected', provedAsOf: Date.parse(result.asOf.earliest) }
    case 'left out':
      // It has been selected since.
      if (isBySelection(result.why)) return { state: 'waiting' }
      return { state: 'left out', why: result.why }
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
