import { Failure } from '../model/errors.ts'
import type { Site } from '../model/site.ts'
import type { Run } from '../run/run.ts'
import type { Part } from './concert.ts'
import { failWritten, frozenFiles, lastWrites } from './frozen-files.ts'
import { lookAgain } from './look-again.ts'
import { mergeTogether } from './merge-together.ts'
import type { BackupOptions } from './options.ts'
import { updateOvfStore } from './ovf-store.ts'
import { type BackupPlan, offlineOf, snapshotsOf, takesPart } from './plan.ts'
import { preflight } from './preflight.ts'
import { proveContent } from './prove-content.ts'
import { proveStructure } from './prove-structure.ts'
import { readySession, replicate } from './replicate.ts'
import { resendUnmerged } from './resend-unmerged.ts'
import { oweFollowed } from './shared-vms.ts'
import { guardSpace } from './space-guard.ts'
import { takeSnapshots } from './take-snapshots.ts'
import type { Verdicts } from './verdicts.ts'
import { openVolume } from './volumes.ts'
import { withdrawPoints } from './withdraw-points.ts'
import { writeManifest } from './write-manifest.ts'

/** Where the story tells what the closing words need. */
export interface Telling {
  verdicts: Verdicts
  part: Part
  /** Called once, when nothing stands against the run any more: from then on things are touched. */
  begins(run: Run, plan: BackupPlan): Promise<void>
}

/** The backup, in order; src/README.md has the reason for each place. Undo is not here: it is what the ledger is owed. */
export async function backup(run: Run, site: Site, options: BackupOptions, telling: Telling): Promise<void> {
  const { verdicts, part } = telling
  const { layout } = site.hypervisor
  const writesTo = async (vms: BackupPlan['vms']) =>
    lastWrites(primary, await frozenFiles(primary, layout, plan, vms), run.signal)

  await part.meet('settled', run)
  const planned = await run.step('preflight', () => preflight(run, site, options, part.others))
  verdicts.plan(planned)
  await telling.begins(run, planned)

  // Before the snapshots, as all that can be: a mount takes a second, which guests would spend on their overlays.
  const pair = await site.replication.pair(run.signal)
  await using primary = await openVolume(run, site, 'primary')
  await using secondary = await openVolume(run, site, 'secondary')
  const kept = await run.step('update OVF store', () =>
    updateOvfStore(run, site, primary, planned, options, verdicts),
  )
  const plan = await part.unite(run, planned, verdicts)
  verdicts.plan(plan)
  const offline = await writesTo(offlineOf(plan))
  await readySession(run, site)

  // From here until the merge guests write into overlays: they must not fill the volume.
  using guard = guardSpace(run, primary, options)
  const guarded = guard.run
  oweFollowed(guarded, plan, verdicts)
  await part.meet('owed', guarded)
  await guarded.step('snapshot', () => takeSnapshots(guarded, site, plan, options, verdicts))
  await part.meet('standing', guarded)
  const frozen = await writesTo(snapshotsOf(plan))

  refuseNothingLeft(plan, verdicts)
  const unfinished = await guarded.step('withdraw earlier points', () =>
    withdrawPoints(guarded, pair, secondary, plan, options),
  )
  await resendUnmerged(guarded, site, primary)
  await guarded.step('replicate', () => replicate(guarded, site, primary, options))
  await guarded.step('look again', () => lookAgain(guarded, site, plan, verdicts))

  const ends = { primary, secondary }
  const content = await proveContent(guarded, site, ends, plan, options, verdicts)
  await failWritten([...offline, ...frozen], primary, verdicts, guarded.signal)
  await mergeTogether({ run, guarded, site, ends, plan, options, verdicts, part })
  const facts = await run.step('prove', () => proveStructure(run, site, secondary, plan, kept, verdicts))
  await part.meet('proved', run)
  const learnt = { plan, facts, content, kept }
  const failed = () => plan.vms.filter(({ id }) => verdicts.failed(id)).length
  const before = failed()
  await run.step('write manifest', () => writeManifest(run, secondary, unfinished, learnt, verdicts))
  // What is written is kept or made true: from here on the run is over, also for who would cancel it.
  const ending = { ...run, signal: new AbortController().signal }
  await part.meet('written', ending)
  if (failed() === before) return
  await run.step('write manifest again', () => writeManifest(ending, secondary, unfinished, learnt, verdicts))
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
