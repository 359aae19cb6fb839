import { expect } from 'vitest'
import type { createStage } from '../support/stage.ts'

/** The steps of a run in which nothing goes wrong. */
export const goodRun = [
  'preflight',
  'update OVF store',
  'snapshot',
  'withdraw earlier points',
  'replicate',
  'look again',
  'compare',
  'merge',
  'prove',
  'write manifest',
]

/** What every ended run must leave, whatever happened to it. */
export async function expectClean(stage: Awaited<ReturnType<typeof createStage>>): Promise<void> {
  expect(stage.owed()).toEqual([])
  const rows = stage.engine.world.vms.flatMap((vm) => vm.snapshots.filter((row) => row.kind === 'regular'))
  expect(rows).toEqual([])
  expect(stage.engine.world.jobs.filter((job) => job.state === 'running')).toEqual([])
  const session = await stage.replicated.replication.session(AbortSignal.timeout(1000))
  expect(['created', 'stopped']).toContain(session.state)
  const overlays = (await stage.files('secondaryDir')).filter((file) => !isOfVm(stage, file))
  expect(overlays).toEqual([])
}

function isOfVm(stage: Awaited<ReturnType<typeof createStage>>, file: string): boolean {
  const bases = stage.engine.world.vms.flatMap((vm) => vm.disks.map((disk) => disk.volume ?? '-'))
  return bases.some((base) => file.includes(base))
}
