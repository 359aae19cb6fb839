import { messageOf } from '../model/errors.ts'
import type { Site } from '../model/site.ts'
import type { VmRef } from '../model/vm.ts'
import type { Run } from '../run/run.ts'
import type { Part } from './concert.ts'
import { cleanAfter, giveUpOn, mergeAndClean, type OwedForVm, owedFor } from './merge-and-clean.ts'
import type { BackupOptions } from './options.ts'
import { type BackupPlan, leadOf, snapshotsOf, type VmPlan } from './plan.ts'
import { unmergedAmong } from './settle.ts'
import type { Verdicts } from './verdicts.ts'
import type { Ends } from './volumes.ts'

/** What merging needs, `guarded` being the run that ends when the primary runs out of space. */
interface Merging {
  run: Run
  guarded: Run
  site: Site
  ends: Ends
  plan: BackupPlan
  options: BackupOptions
  verdicts: Verdicts
  part: Part
}

/**
 * Merges the VMs of this run alone at once; those that it shares only when every run has compared, since a merge writes into bases on all
 * volumes: their lead merges them, and each run then cleans its own secondary.
 */
export async function mergeTogether(merging: Merging): Promise<void> {
  const { run, guarded, site, ends, plan, options, verdicts, part } = merging
  const merge = (name: string, vms: readonly VmRef[]) =>
    run.step(name, () => mergeAndClean(run, site, ends, options, verdicts, vms))
  const all = snapshotsOf(plan)
  await merge(
    'merge',
    all.filter((vm) => vm.shared === undefined),
  )

  const shared = all.filter((vm) => vm.shared !== undefined)
  const led = shared.filter((vm) => leadOf(vm, run.id) === run.id)
  const short = await waitFor(part, run, guarded)
  if (short !== undefined) for (const vm of shared) verdicts.fail(vm.id, short)
  // When space runs short it does not matter who merges: the VM has failed in all runs.
  const mine = short === undefined ? led : shared
  if (mine.length > 0) await merge('merge shared VMs', mine)

  await part.meet('merged', run)
  const followed = shared.filter((vm) => !mine.includes(vm))
  if (followed.length > 0) await run.step('clean up shared VMs', () => cleanUp(merging, followed))
}

/** Until all have compared; returns why it ended before. Throws when the run itself is told to end. */
async function waitFor(part: Part, run: Run, guarded: Run): Promise<string | undefined> {
  try {
    await part.meet('compared', guarded)
    return undefined
  } catch (error) {
    run.signal.throwIfAborted()
    return messageOf(error)
  }
}

/** Removes the overlays of what the other runs have merged; what they have left undone when they ended is merged here. */
async function cleanUp(merging: Merging, followed: readonly VmPlan[]): Promise<void> {
  const { run, site, ends, options, verdicts, part } = merging
  const mine = owedFor(run, followed)
  const isUnmerged = unmergedAmong(run.owedElsewhere())
  const orphans: VmRef[] = []
  for (const vm of followed) {
    const lead = leadOf(vm, run.id)
    if (!isUnmerged(lead, vm)) {
      strikeSnapshots(run, vm, mine)
      await cleanAfter(run, site, ends, vm, mine, verdicts)
    } else if (part.isIn(lead)) {
      giveUpOn(run, vm, 'the run that took its snapshot could not merge it', mine, verdicts)
    } else orphans.push(vm)
  }
  await mergeAndClean(run, site, ends, options, verdicts, orphans)
}

function strikeSnapshots(run: Run, { id }: VmRef, mine: readonly OwedForVm[]): void {
  for (const one of mine) if (one.what.kind === 'snapshot' && one.what.vm.id === id) run.strike(one)
}
