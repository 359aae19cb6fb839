import type { Report, VmResult } from '../run/report.ts'
import type { InventoryVm } from './ports.ts'
import type { VmView } from './view.ts'

/** What is known of a pair's secondary. */
export interface PairStanding {
  /** The run that was the last to write over it; absent when none ever did. */
  writer?: string
  /** What that run says of each VM; absent when it died before it could say anything. */
  results?: ReadonlyMap<string, VmResult>
}

/** How a VM stands over all its pairs. */
export type VmStanding = Pick<VmView, 'state' | 'why'> & {
  /** Epoch milliseconds. */
  provedAsOf?: number
  /** True when it has been protected or ought to have been, and no copy of it is left. */
  lost: boolean
}

export function pairStanding(last: { run: string; report?: Report } | undefined): PairStanding {
  if (last === undefined) return {}
  if (last.report === undefined) return { writer: last.run }
  return { writer: last.run, results: new Map(last.report.vms.map((vm) => [vm.id, vm])) }
}

/** A VM is protected only if it is so on every pair on which it has disks, and as of the same instant: all or nothing. */
export function standingOf(vm: InventoryVm, standings: ReadonlyMap<string, PairStanding>): VmStanding {
  if (vm.whyNot !== undefined) return { state: 'not selected', why: vm.whyNot, lost: false }
  const each = vm.pairs.map((pair) => onPair(vm, standings.get(pair) ?? {}))
  const worst =
    each.find(({ state }) => state === 'failed') ??
    each.find(({ state }) => state === 'waiting') ??
    each.find(({ state }) => state === 'protected') ??
    each[0]
  if (worst === undefined) return { state: 'waiting', lost: false }
  const instants = new Set(each.flatMap(({ provedAsOf }) => provedAsOf ?? []))
  if (worst.state !== 'protected' || instants.size < 2) return worst
  const why =
    'its disks lie on several volumes, whose copies are of different instants: protect them by one job'
  return { state: 'failed', why, lost: true }
}

function onPair({ id }: InventoryVm, { writer, results }: PairStanding): VmStanding {
  if (writer === undefined) return { state: 'waiting', lost: false }
  if (results === undefined) {
    const why = `run ${writer} has overwritten its recovery point and did not live to prove a new one`
    return { state: 'failed', why, lost: true }
  }
  const result = results.get(id)
  if (result === undefined) return { state: 'waiting', lost: false }
  switch (result.state) {
    case 'protected':
      return { state: 'protected', provedAsOf: Date.parse(result.asOf.earliest), lost: false }
    case 'left out':
      return { state: 'left out', why: result.why, lost: false }
    case 'failed':
      return { state: 'failed', why: result.why, lost: true }
    default:
      return result satisfies never
  }
}
