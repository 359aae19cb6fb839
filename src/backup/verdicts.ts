import { chainOf } from '../model/errors.ts'
import type { AsOf, Compared, Consistency, DiskResult, VmResult } from '../run/report.ts'
import type { BackupPlan, PlannedDisk, VmPlan } from './plan.ts'

/** The moment that a copy shows, and how it came about. */
export interface Moment {
  asOf: AsOf
  consistency: Consistency
}

/** What is known of each planned VM while a run goes on: a VM is protected only if nothing was found against it. */
export class Verdicts {
  #plan: BackupPlan | undefined
  readonly #against = new Map<string, string>()
  readonly #moments = new Map<string, Moment>()
  readonly #remarks = new Map<string, string[]>()
  readonly #compared = new Map<string, Compared>()

  plan(plan: BackupPlan): void {
    this.#plan = plan
    for (const vm of plan.vms) if (vm.way === 'refused') this.fail(vm.id, vm.why)
  }

  /** The first thing found against a VM is the one that is told. */
  fail(vmId: string, why: string): void {
    if (!this.#against.has(vmId)) this.#against.set(vmId, why)
  }

  failed(vmId: string): boolean {
    return this.#against.has(vmId)
  }

  /** What should be known of a VM although nothing is against it. */
  remark(vmId: string, text: string): void {
    this.#remarks.set(vmId, [...(this.#remarks.get(vmId) ?? []), text])
  }

  /** When its disks were frozen. Without it a VM cannot be protected. */
  frozenAt(vmId: string, moment: Moment): void {
    this.#moments.set(vmId, moment)
  }

  compared(vmId: string, how: Compared): void {
    this.#compared.set(vmId, how)
  }

  /** One result per planned VM; an error of the whole run stands against all of them. */
  results(error: unknown): VmResult[] {
    return (this.#plan?.vms ?? []).map((vm) => this.#result(vm, error))
  }

  #result(vm: VmPlan, error: unknown): VmResult {
    const { id, name } = vm
    if (vm.way === 'left out')
      return { id, name, state: 'left out', why: vm.why, disks: disksOf(vm, 'left out') }
    const moment = this.#moments.get(id)
    const why = this.#against.get(id) ?? whyNot(error, moment)
    if (why !== undefined || moment === undefined)
      return { id, name, state: 'failed', why: why ?? '', disks: disksOf(vm, 'failed') }
    const remarks = this.#remarks.get(id) ?? []
    return {
      id,
      name,
      state: 'protected',
      ...moment,
      content: this.#compared.get(id) ?? 'none',
      ...(remarks.length === 0 ? {} : { why: remarks.join('; ') }),
      disks: disksOf(vm, 'protected'),
    }
  }
}

function whyNot(error: unknown, moment: Moment | undefined): string | undefined {
  if (error !== undefined) return `the run ended early: ${chainOf(error)[0]}`
  return moment === undefined ? 'its disks were never seen to stand still' : undefined
}

function disksOf(vm: VmPlan, state: DiskResult['state']): DiskResult[] {
  return vm.disks.map((disk) => diskResult(disk, state))
}

function diskResult(disk: PlannedDisk, state: DiskResult['state']): DiskResult {
  const { id, name, leftOut } = disk
  return leftOut === undefined ? { id, name, state } : { id, name, state: 'left out', why: leftOut }
}
