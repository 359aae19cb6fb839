import { messageOf } from '../model/errors.ts'
import type { Site } from '../model/site.ts'
import type { VmRef } from '../model/vm.ts'
import type { Run } from '../run/run.ts'
import { mergeSnapshots } from './merge-snapshots.ts'
import type { BackupOptions } from './options.ts'
import { hasOverlay } from './overlays.ts'
import { dropOwed, unmergedAmong } from './settle.ts'
import type { Verdicts } from './verdicts.ts'
import type { Ends } from './volumes.ts'

/**
 * Merges every snapshot of this run and, VM by VM as its merge ends, removes its overlays from the secondary. A VM whose
 * merge or clean-up fails is a verdict; what it owes is left to the next start.
 */
export async function mergeAndClean(
  run: Run,
  site: Site,
  ends: Ends,
  options: BackupOptions,
  verdicts: Verdicts,
): Promise<void> {
  const mine = run.owed().filter((one) => one.run === run.id)
  const overlaysOf = (vm: VmRef) =>
    mine.filter(({ what }) => what.kind === 'overlays' && what.vm.id === vm.id)

  await mergeSnapshots(run, site, mine, options, {
    async merged(vm) {
      for (const owed of overlaysOf(vm)) {
        await dropOwed(run, site, ends, owed).catch((error: unknown) => {
          run.signal.throwIfAborted()
          const why = messageOf(error)
          verdicts.fail(vm.id, why)
          run.giveUp(owed, why)
        })
      }
    },
    stuck(owed, vm, why) {
      verdicts.fail(vm.id, `its snapshot is not merged: ${why}`)
      run.giveUp(owed, why)
      for (const kept of overlaysOf(vm)) run.giveUp(kept, 'kept until its snapshot is merged on the primary')
    },
  })
  await forgetEarlier(run, site, ends, verdicts)
}

/**
 * Overlays of earlier runs that were kept because a recovery point stood on them: their merge has been replicated by now, and
 * with it their removal.
 */
async function forgetEarlier(run: Run, site: Site, ends: Ends, verdicts: Verdicts): Promise<void> {
  const owed = run.owed()
  const isUnmerged = unmergedAmong(owed)
  for (const one of owed) {
    const { what } = one
    if (one.run === run.id || what.kind !== 'overlays' || isUnmerged(one)) continue
    try {
      // The base may have got another child since: only what is still there is put right.
      const isThere = await hasOverlay(ends.secondary, site.hypervisor.layout, what.domain, what.overlays)
      if (isThere) await dropOwed(run, site, ends, one)
      else run.strike(one)
    } catch (error) {
      run.signal.throwIfAborted()
      verdicts.fail(what.vm.id, messageOf(error))
    }
  }
}
