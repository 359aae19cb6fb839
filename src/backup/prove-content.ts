import type { Site } from '../model/site.ts'
import type { ContentProof } from '../point/content.ts'
import { paceOf } from '../point/pace.ts'
import type { Comparison } from '../run/report.ts'
import type { Run } from '../run/run.ts'
import { type Compared, compareFrozen, type Difference, filesToResend } from './compare.ts'
import { type FrozenFile, failWritten, frozenFiles, lastWrites } from './frozen-files.ts'
import { lookAgain } from './look-again.ts'
import type { BackupOptions } from './options.ts'
import { type BackupPlan, takesPart } from './plan.ts'
import { replicate } from './replicate.ts'
import type { Verdicts } from './verdicts.ts'
import type { Ends } from './volumes.ts'

const lastFull = 'last full comparison'

/** What was seen to be the same at both ends, by volume id, and how it was looked at. */
export interface ProvedContent {
  proofs: ReadonlyMap<string, ContentProof>
  comparison: Comparison
}

/**
 * Compares the copy with its source while the source stands still; what differs is sent again and compared again, a bounded
 * number of times, and else is a verdict on its VM.
 */
export async function proveContent(
  run: Run,
  site: Site,
  ends: Ends,
  plan: BackupPlan,
  options: BackupOptions,
  verdicts: Verdicts,
): Promise<ProvedContent> {
  const mode = modeOf(run, options)
  if (mode === 'off') {
    const text = 'the copy was not compared with its source: what Gluster lost on the way would go unnoticed'
    run.emit({ kind: 'note', severity: 'warning', text })
    const comparison: Comparison = { mode, bytesRead: 0, healed: 0 }
    run.emit({ kind: 'compared', comparison })
    return { proofs: new Map(), comparison }
  }
  const { layout } = site.hypervisor
  const comparing = {
    site,
    ends,
    domain: plan.domain.id,
    mode,
    sampleBytes: options.sampleBytes,
    imagesAtOnce: options.imagesAtOnce,
    pace: paceOf(options.readBytesPerSecond, run.clock),
  }
  const standing = () => plan.vms.filter((vm) => takesPart(vm) && !verdicts.failed(vm.id))
  const all = await frozenFiles(ends.primary, layout, plan, standing())
  const before = await lastWrites(ends.primary, all)
  const comparison: Comparison = { mode, bytesRead: 0, healed: 0 }
  const proofs = new Map<string, ContentProof>()

  const compare = async (name: string, files: readonly FrozenFile[]): Promise<Difference[]> => {
    const compared: Compared = await run.step(name, () => compareFrozen(run, files, comparing))
    comparison.bytesRead += compared.bytesRead
    for (const [volume, proof] of compared.proofs) proofs.set(volume, proof)
    return compared.differences.filter(({ file }) => !verdicts.failed(file.vm.id))
  }
  let differences = await compare('compare', all)
  for (let turn = 0; differences.length > 0 && turn < options.healTurns; turn += 1) {
    const files = differences.map(({ file }) => file)
    run.emit({
      kind: 'note',
      severity: 'warning',
      text: `sent again: ${differences.map(({ what }) => what).join('; ')}`,
    })
    await run.step('heal', async () => {
      const paths = files.flatMap((file) => filesToResend(layout, plan.domain.id, file))
      await site.replication.resend(ends, paths, run.signal)
      await replicate(run, site, ends.primary, options)
    })
    await run.step('look again', () => lookAgain(run, site, plan, verdicts))
    const left = await compare('compare again', files)
    comparison.healed += differences.length - left.length
    differences = left
  }
  for (const { file, what } of differences) verdicts.fail(file.vm.id, `the copy is not the same: ${what}`)
  await failWritten(before, ends.primary, verdicts)
  for (const vm of standing()) {
    const how = howCompared(all, vm.id, proofs)
    if (how === 'none') verdicts.fail(vm.id, 'its disks could not be compared')
    else verdicts.compared(vm.id, how)
  }
  if (mode === 'full' && differences.length === 0) run.note(lastFull, String(run.clock.now()))
  run.emit({ kind: 'compared', comparison })
  return { proofs, comparison }
}

/** "Quick each run, full every week": the last full comparison is remembered in the state. */
function modeOf(run: Run, { compare, fullEveryMs }: BackupOptions): 'quick' | 'full' | 'off' {
  if (compare !== 'quick' || fullEveryMs === undefined) return compare
  const last = Number(run.recall(lastFull) ?? 0)
  return run.clock.now() - last >= fullEveryMs ? 'full' : 'quick'
}

function howCompared(
  files: readonly FrozenFile[],
  vmId: string,
  proofs: ReadonlyMap<string, ContentProof>,
): 'full' | 'samples' | 'none' {
  const kinds = files
    .filter(({ vm }) => vm.id === vmId)
    .map(({ volume }) => proofs.get(volume)?.kind ?? 'none')
  if (kinds.length === 0 || kinds.includes('none')) return 'none'
  return kinds.includes('samples') ? 'samples' : 'full'
}
