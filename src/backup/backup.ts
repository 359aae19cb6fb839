import { Failure } from '../model/errors.ts'
import type { Site } from '../model/site.ts'
import type { Run } from '../run/run.ts'
import { failWritten, frozenFiles, lastWrites } from './frozen-files.ts'
import { lookAgain } from './look-again.ts'
import { mergeAndClean } from './merge-and-clean.ts'
import type { BackupOptions } from './options.ts'
import { updateOvfStore } from './ovf-store.ts'
import { type BackupPlan, offlineOf, snapshotsOf, takesPart } from './plan.ts'
import { preflight } from './preflight.ts'
import { proveContent } from './prove-content.ts'
import { proveStructure } from './prove-structure.ts'
import { replicate } from './replicate.ts'
import { resendUnmerged } from './resend-unmerged.ts'
import { guardSpace } from './space-guard.ts'
import { takeSnapshots } from './take-snapshots.ts'
import type { Verdicts } from './verdicts.ts'
import { openVolume } from './volumes.ts'
import { withdrawPoints } from './withdraw-points.ts'
import { writeManifest } from './write-manifest.ts'

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
  const writesTo = async (vms: BackupPlan['vms']) =>
    lastWrites(primary, await frozenFiles(primary, layout, plan, vms), run.signal)

  const plan = await run.step('preflight', () => preflight(run, site, options))
  verdicts.plan(plan)
  await telling.begins(run, plan)

  await using primary = await openVolume(run, site, 'primary')
  const kept = await run.step('update OVF store', () =>
    updateOvfStore(run, site, primary, plan, options, verdicts),
  )
  const offline = await writesTo(offlineOf(plan))

  // From here until the merge guests write into overlays: they must not fill the volume.
  using guard = guardSpace(run, primary, options)
  const guarded = guard.run
  await guarded.step('snapshot', () => takeSnapshots(guarded, site, plan, options, verdicts))
  const frozen = await writesTo(snapshotsOf(plan))

  refuseNothingLeft(plan, verdicts)
  const unfinished = await guarded.step('withdraw earlier points', () =>
    withdrawPoints(guarded, site, plan, options),
  )
  await resendUnmerged(guarded, site, primary)
  await guarded.step('replicate', () => replicate(guarded, site, primary, options))
  await guarded.step('look again', () => lookAgain(guarded, site, plan, verdicts))

  await using secondary = await openVolume(guarded, site, 'secondary')
  const ends = { primary, secondary }
  const content = await proveContent(guarded, site, ends, plan, options, verdicts)
  await failWritten([...offline, ...frozen], primary, verdicts, guarded.signal)
  await run.step('merge', () => mergeAndClean(run, site, ends, options, verdicts))
  const facts = await run.step('prove', () => proveStructure(run, site, secondary, plan, kept, verdicts))
  await run.step('write manifest', () =>
    writeManifest(run, secondary, unfinished, { plan, facts, content, kept }, verdicts),
  )
}

/** Before the last good recovery point is overwritten by one that would claim nothing. */
function refuseNothingLeft(plan: BackupPlan, verdicts: Verdicts): void {
  if (plan.vms.some((vm) => takesPart(vm) && !verdicts.failed(vm.id))) return
  throw new Failure(
    'no VM is left that could be protected: nothing is replicated, the last recovery point stays',
    {
      hint: 'the report says of each VM why; put that right and run again',
    },
  )
}
