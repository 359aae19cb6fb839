import type { DomainFacts } from '../model/domain.ts'
import { isStopped, type OpenVolume } from '../model/replication.ts'
import type { Site } from '../model/site.ts'
import { examineDomain, flawsOfImage } from '../point/sound.ts'
import type { Run } from '../run/run.ts'
import { flawOfDocument, type KeptStores, restoreOvfStores } from './ovf-store.ts'
import { allOverlaysOf, type BackupPlan, overlayOf, takesPart, type VmPlan } from './plan.ts'
import type { Verdicts } from './verdicts.ts'

/**
 * Proves on the secondary what an importing engine would look at: the domain attaches, every disk of a VM still in the
 * running is a sound chain that ends in the planned volume, its document names what is there, and nobody has let the
 * session run while snapshots were merged into the bases.
 */
export async function proveStructure(
  run: Run,
  site: Site,
  secondary: OpenVolume,
  plan: BackupPlan,
  kept: KeptStores,
  verdicts: Verdicts,
): Promise<DomainFacts> {
  const { format } = site.hypervisor
  await restoreOvfStores(run, site, secondary, plan, kept)
  const found = await examineDomain(format, secondary.dir, plan.domain.id, run.signal)
  const { facts, documents } = found
  const overlays = new Set(plan.vms.flatMap(overlaysOf))
  const namedOverlays = new Set(found.stores.flatMap((store) => format.idsNamedIn(store, overlays)))
  const common = [...(await flawOfSession(run, site)), ...found.flaws, ...found.flawsOfStores]
  for (const vm of plan.vms.filter((one) => takesPart(one) && !verdicts.failed(one.id))) {
    const named = overlaysOf(vm).find((overlay) => namedOverlays.has(overlay))
    const why =
      common[0] ??
      flawOfDisks(vm, facts) ??
      flawOfDocument(vm, documents.get(vm.id), facts) ??
      (named === undefined ? undefined : `the OVF_STORE names overlay ${named}: the VM could not start`)
    if (why !== undefined) verdicts.fail(vm.id, `on the secondary: ${why}`)
  }
  return facts
}

/** Also those on other volumes: a document that names one of them is of no use either. */
function overlaysOf(vm: VmPlan): string[] {
  return allOverlaysOf(vm).map(({ overlay }) => overlay)
}

async function flawOfSession(run: Run, site: Site): Promise<string[]> {
  const { state } = await site.replication.session(run.signal)
  if (isStopped(state)) return []
  return [`torn: somebody else started the session during the run, and it is ${state}`]
}

function flawOfDisks(vm: VmPlan, facts: DomainFacts): string | undefined {
  for (const disk of vm.disks) {
    if (disk.volume === undefined) continue
    const why = flawOfDisk(disk.id, disk.volume, overlayOf(vm, disk.id), facts)
    if (why !== undefined) return `disk ${disk.name}: ${why}`
  }
  return undefined
}

/** Pure: why an image is not what the plan wants it to be. */
function flawOfDisk(
  id: string,
  top: string,
  overlay: string | undefined,
  facts: DomainFacts,
): string | undefined {
  const image = facts.images.get(id)
  if (image?.volumes.some(({ volume }) => volume === overlay)) return `overlay ${overlay} is still there`
  const flaws = flawsOfImage(image, facts)
  if (flaws.length > 0) return flaws.join('; ')
  const last = image?.volumes.at(-1)
  return last?.volume === top && last.role === 'top' ? undefined : `volume ${top} is not the top of its chain`
}
