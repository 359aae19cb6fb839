import type { DomainFacts, VmDocument } from '../model/domain.ts'
import { Failure } from '../model/errors.ts'
import type { OpenVolume } from '../model/replication.ts'
import type { Site } from '../model/site.ts'
import { type ExaminedDomain, examineDomain, missingVolumes } from '../point/sound.ts'
import type { Run } from '../run/run.ts'
import { until } from '../run/until.ts'
import { newTag, tagPrefix } from './names.ts'
import type { BackupOptions } from './options.ts'
import { type BackupPlan, takesPart, type VmPlan } from './plan.ts'
import type { Verdicts } from './verdicts.ts'

const updateMs = 300_000

/** The stores as they were before the snapshots, and what they say of each VM. */
export type KeptStores = Pick<ExaminedDomain, 'stores' | 'documents'>

/**
 * Lets the engine write its VM documents to the domain while they still name the bases, and keeps them: after a snapshot they
 * would name overlays, and a VM imported from them could not start. A VM without a fitting document is a verdict: it could
 * not be registered.
 */
export async function updateOvfStore(
  run: Run,
  site: Site,
  primary: OpenVolume,
  plan: BackupPlan,
  options: BackupOptions,
  verdicts: Verdicts,
): Promise<KeptStores> {
  await letWrite(run, site, plan, options)
  const { format } = site.hypervisor
  const { facts, stores, documents, ...found } = await examineDomain(
    format,
    primary.dir,
    plan.domain.id,
    run.signal,
  )
  refuseUnsound(found.flaws)
  for (const flaw of found.flawsOfStores)
    run.emit({ kind: 'note', severity: 'warning', text: `OVF_STORE of ${plan.domain.name}: ${flaw}` })
  for (const vm of plan.vms.filter(takesPart)) {
    const why = flawOfDocument(vm, documents.get(vm.id), facts)
    if (why !== undefined) verdicts.fail(vm.id, why)
  }
  return { stores, documents }
}

/** What the primary could not be imported with, no copy of it can: better said before the last good one is overwritten. */
function refuseUnsound(why: readonly string[]): void {
  if (why.length === 0) return
  throw new Failure(`the storage domain on the primary volume could not be imported: ${why.join(' | ')}`, {
    hint: 'repair or remove what is named there (Storage > Disks shows floating disks), then run again; the last recovery point is untouched',
  })
}

/** Pure: why a VM could not be registered and started from its document, where the facts are those of its domain. */
export function flawOfDocument(
  vm: VmPlan,
  document: VmDocument | undefined,
  facts: DomainFacts,
): string | undefined {
  if (document === undefined) return 'the OVF_STORE has no document of it: it could not be registered'
  const named = new Set(document.volumes.map(({ image, volume }) => `${image}/${volume}`))
  const missing = vm.disks.find(({ id, volume }) => volume !== undefined && !named.has(`${id}/${volume}`))
  if (missing === undefined) return flawOfMissing(vm, document, facts)
  return `its document in the OVF_STORE does not name volume ${missing.volume} of disk ${missing.name}: it could not start`
}

function flawOfMissing(vm: VmPlan, document: VmDocument, facts: DomainFacts): string | undefined {
  const images = new Set(vm.disks.flatMap(({ id, volume }) => (volume === undefined ? [] : [id])))
  const [gone] = missingVolumes(document, images, facts)
  if (gone === undefined) return undefined
  return `its document in the OVF_STORE names volume ${gone}, which is not there: it could not start`
}

/**
 * Puts the stores on the secondary back as they were kept: the engine's hourly timer may have written names of overlays into
 * them while the snapshots existed.
 */
export async function restoreOvfStores(
  run: Run,
  site: Site,
  secondary: OpenVolume,
  plan: BackupPlan,
  { stores }: KeptStores,
): Promise<void> {
  const { format } = site.hypervisor
  for (const store of stores) {
    if (!(await format.putBackOvfStore(secondary.dir, plan.domain.id, store))) continue
    const text = `the OVF_STORE ${store.image} was written during the run: put back on the secondary as it was before the snapshots`
    run.emit({ kind: 'note', severity: 'info', text })
  }
}

async function letWrite(run: Run, site: Site, plan: BackupPlan, options: BackupOptions): Promise<void> {
  const tag = newTag(run)
  await site.hypervisor.updateOvfStore(plan.domain, tag, run.signal)
  let seen = 'no job yet'
  await until(
    {
      what: 'the engine to write the OVF store',
      clock: run.clock,
      intervalMs: options.intervalMs,
      deadlineMs: updateMs,
      signal: run.signal,
      lastSeen: () => seen,
    },
    async () => {
      const { jobs } = await site.hypervisor.observe([], tagPrefix(run.id), run.signal)
      const job = jobs.find((one) => one.tag === tag)
      seen = job?.state ?? 'no job'
      // The engine forgets finished jobs; with nothing to write it may never show one.
      return job === undefined || job.state !== 'running' ? seen : undefined
    },
  )
  if (seen === 'failed') {
    const text = `the OVF store of ${plan.domain.name} could not be updated: what it says of each VM is looked at all the same`
    run.emit({ kind: 'note', severity: 'warning', text })
  }
}
