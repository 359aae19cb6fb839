import { chainOf } from '../model/errors.ts'
import type { AsOf, Compared, Consistency, DiskResult, VmResult } from '../run/report.ts'
import type { BackupPlan, PlannedDisk, VmPlan } from './plan.ts'

/** The moment that a copy shows, and how it came about. */
export interface Moment {
  asOf: AsOf
  consistency: Consistency
}

/** What is known of one VM, by all runs that have disks of it. */
interface Standing {
  against?: { why: string; by: Verdicts }
  moment?: Moment
  remarks: string[]
  compared?: Compared
}

/** What is known of each planned VM while a run goes on: a VM is protected only if nothing was found against it. */
export class Verdicts {
  readonly #volume: string
  #plan: BackupPlan | undefined
  readonly #standings = new Map<string, Standing>()

  /** Of the run on this primary volume. */
  constructor(volume = '') {
    this.#volume = volume
  }

  plan(plan: BackupPlan): void {
    this.#plan = plan
    for (const vm of plan.vms) if (vm.way === 'refused') this.fail(vm.id, vm.why)
  }

  /** From now on a VM stands in both runs as it does in either: what one finds against it holds for the other. */
  share(vmId: string, other: Verdicts): void {
    const ours = this.#of(vmId)
    const one = other.#of(vmId)
    if (one.against === undefined && ours.against !== undefined) one.against = ours.against
    this.#standings.set(vmId, one)
  }

  /** The first thing found against a VM is the one that is told. */
  fail(vmId: string, why: string): void {
    this.#of(vmId).against ??= { why, by: this }
  }

  failed(vmId: string): boolean {
    return this.#of(vmId).against !== undefined
  }

  /** What should be known of a VM although nothing is against it. */
  remark(vmId: string, text: string): void {
    const { remarks } = this.#of(vmId)
    if (!remarks.includes(text)) remarks.push(text)
  }

  /** When its disks were frozen. Without it a VM cannot be protected. */
  frozenAt(vmId: string, moment: Moment): void {
    this.#of(vmId).moment = moment
  }

  /** Of several runs' disks the least that was looked at counts. */
  compared(vmId: string, how: Compared): void {
    const standing = this.#of(vmId)
    if (standing.compared !== 'samples') standing.compared = how
  }

  /** One result per planned VM; an error of the whole run stands against all of them. */
  results(error: unknown): VmResult[] {
    return (this.#plan?.vms ?? []).map((vm) => this.#result(vm, error))
  }

  #of(vmId: string): Standing {
    const known = this.#standings.get(vmId) ?? { remarks: [] }
    this.#standings.set(vmId, known)
    return known
  }

  #result(vm: VmPlan, error: unknown): VmResult {
    const { id, name } = vm
    if (vm.way === 'left out')
      return { id, name, state: 'left out', why: vm.why, disks: disksOf(vm, 'left out') }
    const { against, moment, remarks, compared = 'none' } = this.#of(id)
    const why = this.#whyAgainst(against) ?? whyNot(error, moment)
    if (why !== undefined || moment === undefined)
      return { id, name, state: 'failed', why: why ?? '', disks: disksOf(vm, 'failed') }
    return {
      id,
      name,
      state: 'protected',
      ...moment,
      content: compared,
      ...(remarks.length === 0 ? {} : { why: remarks.join('; ') }),
      disks: disksOf(vm, 'protected'),
    }
  }

  #whyAgainst(against: Standing['against']): string | undefined {
    if (against === undefined || against.by === this) return against?.why
    return `on volume ${against.by.#volume}: ${against.why}`
  }
}

function whyNot(error: unknown, moment: Moment | undefined): string | undefined {
  if (error !== undefined) return `the run ended early: ${chainOf(error)[0]}`
  return moment === undefined ? 'its disks were never seen to stand still' : undefined
}

function disksOf(vm: VmPlan, state: DiskResult['state']): DiskResult[] {
  return vm.disks.map((disk) => diskResult(disk, state))
}

function diskResult({ id, name, leftOut, elsewhere }: PlannedDisk, state: DiskResult['state']): DiskResult {
  if (elsewhere !== undefined)
    return { id, name, state: 'elsewhere', why: `on volume ${elsewhere.primary}: run ${elsewhere.run}` }
  return leftOut === undefined ? { id, name, state } : { id, name, state: 'left out', why: leftOut }
}
