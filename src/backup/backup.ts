import type { Site } from '../model/site.ts'
import type { Run } from '../run/run.ts'
import { compareContent } from './compare.ts'
import { lookAgain } from './look-again.ts'
import { mergeAndClean } from './merge-and-clean.ts'
import { failWritten, lastWrites } from './offline.ts'
import type { BackupOptions } from './options.ts'
import { updateOvfStore } from './ovf-store.ts'
import type { BackupPlan } from './plan.ts'
import { preflight } from './preflight.ts'
import { proveStructure } from './prove.ts'
import { replicate } from './replicate.ts'
import { takeSnapshots } from './take-snapshots.ts'
import type { Verdicts } from './verdicts.ts'
import { openVolume } from './volumes.ts'

/** Where the story tells what the closing words need. */
export interface Telling {
  verdicts: Verdicts
  /** Called once, when nothing stands against the run any more: from then on things are touched. */
  begins(run: Run, plan: BackupPlan): Promise<void>
}

/** The backup, in order; src/README.md has the reason for each place. Undo is not here: it is what the ledger is owed. */
export async function backup(run: Run, site: Site, options: BackupOptions, telling: Telling): Promise<void> {
  const { verdicts } = telling
  const { layout } = site.hypervisor

  const plan = await run.step('preflight', () => preflight(run, site, options))
  verdicts.plan(plan)
  await telling.begins(run, plan)

  await using primary = await openVolume(run, site, 'primary')
  await run.step('update OVF store', () => updateOvfStore(run, site, plan, options))
  const written = await lastWrites(primary, layout, plan)
  await run.step('snapshot', () => takeSnapshots(run, site, plan, options, verdicts))
  await run.step('replicate', () => replicate(run, site, primary, options))
  await run.step('look again', () => lookAgain(run, site, plan, verdicts))
  await failWritten(written, primary, layout, plan, verdicts)

  await using secondary = await openVolume(run, site, 'secondary')
  const ends = { primary, secondary }
  if (options.compare === 'quick') {
    await run.step('compare', () => compareContent(run, ends, layout, plan, options.sampleBytes, verdicts))
  }
  await run.step('merge', () => mergeAndClean(run, site, ends, options, verdicts))
  await run.step('prove', () => proveStructure(run, site, secondary, plan, verdicts))
}
