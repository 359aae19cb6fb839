import type { Site } from '../model/site.ts'
import type { Vm } from '../model/vm.ts'
import type { Run } from '../run/run.ts'
import { snapshotDescription } from './names.ts'
import type { BackupPlan, VmPlan } from './plan.ts'
import type { Verdicts } from './verdicts.ts'

/** Reads the inventory once more after replication has stopped: a VM that moved under the copy is torn, and is told so. */
export async function lookAgain(run: Run, site: Site, plan: BackupPlan, verdicts: Verdicts): Promise<void> {
  const vms = new Map((await site.hypervisor.vms(plan.domain, run.signal)).map((vm) => [vm.id, vm]))
  for (const planned of plan.vms) {
    const why = whyTorn(planned, vms.get(planned.id), plan.domain.id, snapshotDescription(run.id))
    if (why !== undefined) verdicts.fail(planned.id, `torn: ${why}`)
  }
  const known = new Set(plan.vms.map((vm) => vm.id))
  for (const vm of vms.values()) {
    if (known.has(vm.id)) continue
    const text = `VM ${vm.name} came to the storage domain during the run: it is not part of this recovery point`
    run.emit({ kind: 'note', severity: 'warning', text })
  }
}

/** Pure: what happened to a planned VM since the plan that spoils its copy. */
export function whyTorn(
  planned: VmPlan,
  vm: Vm | undefined,
  domain: string,
  description: string,
): string | undefined {
  if (planned.way !== 'snapshot' && planned.way !== 'offline') return undefined
  if (vm === undefined) return 'the VM was removed during the run'
  const added = vm.disks.find(
    (disk) => disk.domains.includes(domain) && !planned.disks.some((one) => one.id === disk.id),
  )
  if (added !== undefined) return `disk ${added.name} was added during the run`
  if (merges(planned, vm)) return 'a snapshot that it had is being merged or was merged during the run'
  if (planned.way === 'offline') return offlineTorn(planned, vm)
  if (!vm.snapshots.some((snapshot) => snapshot.description === description)) {
    return 'its snapshot was removed by somebody else during the run'
  }
  const moved = planned.overlays.find(
    ({ image, overlay }) => vm.disks.find((disk) => disk.id === image)?.volume !== overlay,
  )
  return moved === undefined ? undefined : `disk ${moved.image} no longer runs on the overlay of this run`
}

/** A merge writes into volumes below the top one, which nothing else shows: the disks still run on the same top. */
function merges(planned: VmPlan, vm: Vm): boolean {
  const whole = new Set(vm.snapshots.filter(({ status }) => status === 'ok').map(({ id }) => id))
  return planned.snapshots.some((id) => !whole.has(id))
}

function offlineTorn(planned: VmPlan, vm: Vm): string | undefined {
  if (vm.status !== 'down')
    return `the VM was down and is ${vm.status.replaceAll('_', ' ')}: started during the run`
  const moved = planned.disks.find(
    (disk) => disk.volume !== undefined && vm.disks.find((one) => one.id === disk.id)?.volume !== disk.volume,
  )
  return moved === undefined ? undefined : `disk ${moved.name} got another active volume during the run`
}
