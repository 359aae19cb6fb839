import { hotplugDisk, moveDisk } from './disk-life.ts'
import type { Issuer } from './jobs.ts'
import { pauseVm, resumeVm } from './pause.ts'
import type { PauseReason, VmAct } from './vm-acts.ts'
import { crashVm, migrateVm, startVm, stopVm } from './vm-life.ts'
import type { World } from './world.ts'

const byOthers: Issuer = { user: '', userName: 'another user', correlationId: '', job: undefined }

/** Lets it happen to a VM, by name or id; resolves when it is done. `reason` is for a pause. */
export async function act(
  world: World,
  name: string,
  what: VmAct,
  { reason = 'io' }: { reason?: PauseReason | undefined } = {},
): Promise<void> {
  const vm = world.findVm(name)
  if (vm === undefined) throw new Error(`no VM ${name}`)
  switch (what) {
    case 'start':
      return startVm(world, vm, byOthers).done
    case 'stop':
      return stopVm(world, vm, byOthers).done
    case 'pause':
      return pauseVm(world, vm, reason)
    case 'resume':
      return resumeVm(world, vm)
    case 'crash':
      return crashVm(world, vm)
    case 'hotplug':
      await hotplugDisk(world, vm)
      return
    case 'migrate':
      return migrateVm(world, vm)
    case 'move-disk':
      return moveDisk(world, vm)
  }
}
