import { chainOf } from '../model/errors.ts'
import type { DiskResult, VmResult } from '../run/report.ts'
import { type BackupPlan, consistencyOf, type PlannedDisk, type VmPlan } from './plan.ts'

/** What is known of each planned VM while a run goes on: a VM is protected only if nothing was found against it. */
export class Verdicts {
  #plan: BackupPlan | undefined
  readonly #against = new Map<string, string>()

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

  /** One result per planned VM; an error of the whole run stands against all of them. */
  results(error: unknown): VmResult[] {
    return (this.#plan?.vms ?? []).map((vm) => this.#result(vm, error))
  }

  #result(vm: VmPlan, error: unknown): VmResult {
    const { id, name } = vm
    if (vm.way === 'left out')
      return { id, name, state: 'left out', why: vm.why, disks: disksOf(vm, 'left out') }
    const why =
      this.#against.get(id) ?? (error === undefined ? undefined : `the run ended early: ${chainOf(error)[0]}`)
    if (why !== undefined) return { id, name, state: 'failed', why, disks: disksOf(vm, 'failed') }
    return {
      id,
      name,
      state: 'protected',
      consistency: consistencyOf(vm),
      disks: disksOf(vm, 'protected'),
    }
  }
}

function disksOf(vm: VmPlan, state: DiskResult['state']): DiskResult[] {
  return vm.disks.map((disk) => diskResult(disk, state))
}

function diskResult(disk: PlannedDisk, state: DiskResult['state']): DiskResult {
  const { id, name, leftOut } = disk
  return leftOut === undefined ? { id, name, state } : { id, name, state: 'left out', why: leftOut }
}
