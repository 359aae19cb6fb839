import { type BackupPlan, planBackup } from '../../../src/backup/plan.ts'
import { newId } from '../../../src/backup/preflight.ts'
import { everything, resolveSelection } from '../../../src/backup/select.ts'
import type { Hypervisor } from '../../../src/model/hypervisor.ts'
import type { Vm } from '../../../src/model/vm.ts'

export interface Planned {
  plan: BackupPlan
  vms: Vm[]
}

/** What preflight asks the engine, and the plan; `isWanted`: whose snapshot is to be taken, all by default. */
export async function planAll(
  hypervisor: Hypervisor,
  signal: AbortSignal,
  isWanted: (name: string) => boolean = () => true,
): Promise<Planned> {
  const [engine, domains, lastEvent] = await Promise.all([
    hypervisor.about(signal),
    hypervisor.domains(signal),
    hypervisor.latestEvent(signal),
    hypervisor.findings(signal),
  ])
  const domain = domains.find(({ name }) => name === 'vmstore')
  if (domain === undefined) throw new Error('there is no vmstore')
  const [vms, selected] = await Promise.all([
    hypervisor.vms(domain, signal),
    resolveSelection(hypervisor, everything, [], signal),
  ])
  const whyNotSelected = (vm: Vm) =>
    selected.whyNotSelected(vm) ?? (isWanted(vm.name) ? undefined : 'not selected')
  const plan = planBackup(domain, vms, newId, { engine, lastEvent }, { ...selected, whyNotSelected })
  return { plan, vms }
}
