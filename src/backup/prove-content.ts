import { messageOf } from '../model/errors.ts'
import type { Site } from '../model/site.ts'
import type { ContentProof } from '../point/content.ts'
import { paceOf } from '../point/pace.ts'
import type { Comparison } from '../run/report.ts'
import type { Run } from '../run/run.ts'
import { type Compared, compareFrozen, type Difference, filesToResend } from './compare.ts'
import { type FrozenFile, failWritten, frozenFiles, lastWrites } from './frozen-files.ts'
import { lookAgain } from './look-again.ts'
import type { BackupOptions } from './options.ts'
import { type BackupPlan, takesPart, type VmPlan } from './plan.ts'
import { replicate, stopReplication } from './replicate.ts'
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
  const before = await lastWrites(ends.primary, all, run.signal)
  const comparison: Comparison = { mode, bytesRead: 0, healed: 0 }
  const proofs = new Map<string, ContentProof>()

  const compare = async (name: string, files: readonly FrozenFile[]): Promise<Difference[]> => {
    const compared: Compared = await run.step(name, () => compareFrozen(run, files, comparing))
    comparison.bytesRead += compared.bytesRead
    for (const [volume, proof] of compared.proofs) proofs.set(volume, proof)
    return compared.differences.filter(({ file }) => !verdicts.failed(file.vm.id))
  }
  let differences = await compare('compare', all)
  let notSent: string | undefined
  for (let turn = 0; differences.length > 0 && turn < options.healTurns; turn += 1) {
    const files = differences.map(({ file }) => file)
    run.emit({
      kind: 'note',
      severity: 'warning',
      text: `sent again: ${differences.map(({ what }) => what).join('; ')}`,
    })
    const paths = files.flatMap((file) => filesToResend(layout, plan.domain.id, file))
    notSent = await run.step('heal', () => sendAgain(run, site, ends, paths, options))
    await run.step('look again', () => lookAgain(run, site, plan, verdicts))
    if (notSent !== undefined) break
    const left = await compare('compare again', files)
    comparison.healed += differences.length - left.length
    differences = left
  }
  const also = notSent === undefined ? '' : `; sending it again failed: ${notSent}`
  for (const { file, what } of differences)
    verdicts.fail(file.vm.id, `the copy is not the same: ${what}${also}`)
  await failWritten(before, ends.primary, verdicts, run.signal)
  tellCompared(standing(), all, proofs, verdicts)
  if (mode === 'full' && differences.length === 0) run.note(lastFull, String(run.clock.now()))
  run.emit({ kind: 'compared', comparison })
  return { proofs, comparison }
}

function tellCompared(
  vms: readonly VmPlan[],
  files: readonly FrozenFile[],
  proofs: ReadonlyMap<string, ContentProof>,
  verdicts: Verdicts,
): void {
  for (const vm of vms) {
    const how = howCompared(files, vm.id, proofs)
    if (how === 'none') verdicts.fail(vm.id, 'its disks could not be compared')
    else verdicts.compared(vm.id, how)
  }
}

/** Another turn for these files; what goes wrong with it, since those VMs whose copy is right have nothing to do with it. */
async function sendAgain(
  run: Run,
  site: Site,
  ends: Ends,
  paths: readonly string[],
  options: BackupOptions,
): Promise<string | undefined> {
  try {
    await site.replication.resend(ends, paths, run.signal)
    await replicate(run, site, ends.primary, options, 'again')
    return undefined
  } catch (error) {
    run.signal.throwIfAborted()
    // A session that goes on would tear every copy as soon as the first snapshot is merged.
    const sessions = run.owed().filter((one) => one.run === run.id && one.what.kind === 'session')
    await stopReplication(run, site, sessions)
    return messageOf(error)
  }
}

/** "Quick each run, full every week": the last full comparison is remembered in the state. */
function modeOf(run: Run, { compare, fullEveryMs }: BackupOptions): 'quick' | 'full' | 'off' {
  if (compare !== 'quick' || fullEveryMs === undefined) return compare
  const last = Number(run.recall(lastFull) ?? 0)
  // What is no time is no full comparison either.
  return run.clock.now() - last < fullEveryMs ? 'quick' : 'full'
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
