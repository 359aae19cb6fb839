import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { messageOf } from '../model/errors.ts'
import type { DiskLayout } from '../model/hypervisor.ts'
import type { OpenVolume } from '../model/replication.ts'
import type { Site } from '../model/site.ts'
import type { Run } from '../run/run.ts'
import { takesPart } from './compare.ts'
import { exists } from './overlays.ts'
import type { BackupPlan, VmPlan } from './plan.ts'
import type { Verdicts } from './verdicts.ts'

/**
 * Proves on the secondary that every disk of a VM still in the running stands by itself: top volume there, no overlay, and
 * nobody has let the session run while snapshots were merged into the bases.
 */
export async function proveStructure(
  run: Run,
  site: Site,
  secondary: OpenVolume,
  plan: BackupPlan,
  verdicts: Verdicts,
): Promise<void> {
  const { layout } = site.hypervisor
  const { state } = await site.replication.session(run.signal)
  const vms = plan.vms.filter((vm) => takesPart(vm) && !verdicts.failed(vm.id))
  for (const vm of vms) {
    run.signal.throwIfAborted()
    if (state !== 'stopped' && state !== 'created') {
      verdicts.fail(vm.id, `torn: somebody else started the session during the run, and it is ${state}`)
    }
    for (const disk of vm.disks) {
      if (disk.volume === undefined) continue
      const why = await flawOf(secondary, layout, plan.domain.id, vm, disk.id, disk.volume)
      if (why !== undefined) verdicts.fail(vm.id, `disk ${disk.name} on the secondary: ${why}`)
    }
  }
}

async function flawOf(
  secondary: OpenVolume,
  layout: DiskLayout,
  domain: string,
  vm: VmPlan,
  image: string,
  volume: string,
): Promise<string | undefined> {
  const overlay = vm.way === 'snapshot' ? vm.overlays.find((one) => one.image === image)?.overlay : undefined
  if (overlay !== undefined) {
    for (const file of layout.filesOf(domain, image, overlay).inRemovalOrder) {
      if (await exists(join(secondary.dir, file))) return `${file} of the overlay is still there`
    }
  }
  const { data } = layout.filesOf(domain, image, volume)
  const description = join(secondary.dir, layout.descriptionOf(domain, image, volume))
  try {
    if ((await stat(join(secondary.dir, data))).size === 0) return `${data} is empty`
    const text = await readFile(description, 'latin1')
    const top = layout.asTop(text, { domain, image, volume })
    return top === text ? undefined : `volume ${volume} is not marked as the top of its chain`
  } catch (error) {
    return messageOf(error)
  }
}
