import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { DiskLayout } from '../model/hypervisor.ts'
import type { OpenVolume } from '../model/replication.ts'
import type { BackupPlan } from './plan.ts'
import type { Verdicts } from './verdicts.ts'

/** When the disks of VMs that are down were last written, by disk id; `missing` when that cannot be told. */
export type LastWrites = ReadonlyMap<string, string>

/** Looks at the disks of every VM of the plan that is down, on the primary. */
export async function lastWrites(
  primary: OpenVolume,
  layout: DiskLayout,
  plan: BackupPlan,
): Promise<LastWrites> {
  const disks = plan.vms.filter((vm) => vm.way === 'offline').flatMap((vm) => vm.disks)
  const found = new Map<string, string>()
  for (const { id, volume } of disks) {
    if (volume === undefined) continue
    const { data } = layout.filesOf(plan.domain.id, id, volume)
    found.set(id, await writtenAt(join(primary.dir, data)))
  }
  return found
}

/** A VM whose disk was written since then ran for a while, though the engine shows it as down at both looks: it is torn. */
export async function failWritten(
  before: LastWrites,
  primary: OpenVolume,
  layout: DiskLayout,
  plan: BackupPlan,
  verdicts: Verdicts,
): Promise<void> {
  const now = await lastWrites(primary, layout, plan)
  for (const vm of plan.vms) {
    const disk = vm.disks.find(({ id }) => before.get(id) !== now.get(id))
    if (disk !== undefined)
      verdicts.fail(vm.id, `torn: disk ${disk.name} was written although the VM is down`)
  }
}

async function writtenAt(file: string): Promise<string> {
  try {
    const { mtimeNs, size } = await stat(file, { bigint: true })
    return `${mtimeNs} ${size}`
  } catch {
    // The comparison will say what is wrong with it.
    return 'missing'
  }
}
