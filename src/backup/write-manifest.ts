import type { DomainFacts } from '../model/domain.ts'
import type { OpenVolume } from '../model/replication.ts'
import type { ContentProof } from '../point/content.ts'
import { type PointDisk, type PointVm, packOvf, type RecoveryPoint, sha256Of } from '../point/manifest.ts'
import { pointsDir, prunePoints, writePoint } from '../point/points.ts'
import type { VmResult } from '../run/report.ts'
import type { Run } from '../run/run.ts'
import type { KeptStores } from './ovf-store.ts'
import type { BackupPlan, PlannedDisk, VmPlan } from './plan.ts'
import type { ProvedContent } from './prove-content.ts'
import type { Verdicts } from './verdicts.ts'

const manifestsKept = 20

/** What a run has learnt of the recovery point that it made. */
export interface Learnt {
  plan: BackupPlan
  facts: DomainFacts
  content: ProvedContent
  kept: KeptStores
}

/**
 * Writes on the secondary itself what it holds now: all that a recovery site has left when the primary is gone. Last of all,
 * since only then everything in it is true. Throws Failure when it cannot be written.
 */
export async function writeManifest(
  run: Run,
  secondary: OpenVolume,
  unfinished: RecoveryPoint,
  learnt: Learnt,
  verdicts: Verdicts,
): Promise<void> {
  run.signal.throwIfAborted()
  await writePoint(
    secondary.dir,
    pointOf(unfinished, learnt, verdicts.results(undefined), new Date(run.clock.now())),
  )
  await prunePoints(secondary.dir, manifestsKept)
  run.emit({ kind: 'point made', manifest: `${pointsDir}/${run.id}.json` })
}

/** Pure: the finished manifest. */
function pointOf(
  unfinished: RecoveryPoint,
  { plan, facts, content, kept }: Learnt,
  results: readonly VmResult[],
  finishedAt: Date,
): RecoveryPoint {
  const { mode, bytesRead } = content.comparison
  const vms = plan.vms.map((vm): PointVm => {
    const result = results.find(({ id }) => id === vm.id)
    return vmOf(vm, result, facts, content.proofs, kept)
  })
  return {
    ...unfinished,
    state: 'finished',
    finishedAt: finishedAt.toISOString(),
    domain: {
      ...unfinished.domain,
      ...(facts.blockBytes === undefined ? {} : { blockBytes: facts.blockBytes }),
    },
    comparison: { mode, bytesRead },
    ovfStores: kept.stores.flatMap(({ image, volume, description, content: tar }) =>
      tar === undefined ? [] : [{ image, volume, description, bytes: tar.length, sha256: sha256Of(tar) }],
    ),
    vms,
  }
}

function vmOf(
  { id, name, status, disks }: VmPlan,
  result: VmResult | undefined,
  facts: DomainFacts,
  proofs: ReadonlyMap<string, ContentProof>,
  kept: KeptStores,
): PointVm {
  const isProtected = result?.state === 'protected'
  const document = kept.documents.get(id)
  return {
    id,
    name,
    state: result?.state ?? 'failed',
    ...(result?.why === undefined ? {} : { why: result.why }),
    ...(isProtected ? { consistency: result.consistency, asOf: result.asOf } : {}),
    ran: status !== 'down',
    disks: disks.map((disk): PointDisk => {
      const became = result?.disks.find((one) => one.id === disk.id)
      return {
        id: disk.id,
        name: disk.name,
        state: became?.state ?? 'failed',
        ...(became?.why === undefined ? {} : { why: became.why }),
        sizeBytes: disk.sizeBytes,
        ...inOf(disk),
        ...(isProtected ? chainOf(disk, facts, proofs) : {}),
      }
    }),
    ...(document === undefined ? {} : { ovf: packOvf(document.text) }),
  }
}

function inOf({ elsewhere }: PlannedDisk): Pick<PointDisk, 'in'> {
  if (elsewhere === undefined) return {}
  const { run, primary, secondary } = elsewhere
  const { host, volume } = secondary
  return { in: { run, primary: { volume: primary }, secondary: { host, volume } } }
}

function chainOf(
  disk: PlannedDisk,
  facts: DomainFacts,
  proofs: ReadonlyMap<string, ContentProof>,
): Pick<PointDisk, 'chain'> {
  const image = facts.images.get(disk.id)
  if (disk.volume === undefined || image === undefined) return {}
  return {
    chain: image.volumes.map(({ volume, parent, role, format, capacityBytes, fileBytes }) => {
      const content = proofs.get(volume)
      return {
        volume,
        ...(parent === undefined ? {} : { parent }),
        role,
        format,
        capacityBytes,
        fileBytes,
        ...(content === undefined ? {} : { content }),
      }
    }),
  }
}
