import type { OpenVolume, VolumePair } from '../model/replication.ts'
import type { RecoveryPoint } from '../point/manifest.ts'
import { listPoints, writePoint } from '../point/points.ts'
import { overwrittenBy } from '../run/keeping.ts'
import type { Run } from '../run/run.ts'
import type { BackupOptions } from './options.ts'
import type { BackupPlan } from './plan.ts'

/**
 * Marks on the secondary, before anything is written over them, that the images of earlier recovery points are about to
 * change: if the primary burns down in the middle, nobody takes a torn volume for a whole point. Returns the mark, which the
 * finished manifest will replace.
 */
export async function withdrawPoints(
  run: Run,
  pair: VolumePair,
  volume: OpenVolume,
  plan: BackupPlan,
  options: BackupOptions,
): Promise<RecoveryPoint> {
  const supersedes = (await listPoints(volume.dir)).map((found) => found.run).filter((id) => id !== run.id)
  const unfinished: RecoveryPoint = {
    run: run.id,
    tool: options.tool,
    state: 'unfinished',
    startedAt: run.startedAt.toISOString(),
    supersedes,
    primary: { volume: pair.primary.volume },
    secondary: pair.secondary,
    engine: plan.engine,
    domain: { id: plan.domain.id, name: plan.domain.name },
    ovfStores: [],
    vms: [],
  }
  // Durable before the mark is: whoever reads the history after a crash must not count on the earlier points.
  run.note(overwrittenBy, run.id)
  run.emit({ kind: 'points withdrawn' })
  await writePoint(volume.dir, unfinished)
  return unfinished
}
