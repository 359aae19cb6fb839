import type { Run } from '../run/run.ts'
import { snapshotDescription } from './names.ts'
import { type BackupPlan, leadOf, type Sibling, siblingsOf, snapshotsOf, type VmPlan } from './plan.ts'
import type { Verdicts } from './verdicts.ts'

/** What a run knows before it meets the others of its job. */
export interface Brought {
  sibling: Sibling
  plan: BackupPlan
  verdicts: Verdicts
}

/** A VM as one of the runs has planned it. */
interface Held extends Brought {
  vm: VmPlan
}

/**
 * Finds the VMs that have disks in several of the runs, in the job's order: each gets one verdict in all of them, and its mark in every plan;
 * the first run leads. A VM of which a run is missing, or sees something else, fails. Returns the plans by run; `whyGone` is why one is missing.
 */
export function unite(
  brought: readonly Brought[],
  whyGone: (run: string) => string | undefined,
): Map<string, BackupPlan> {
  const shared = new Map<string, Held[]>()
  for (const one of brought)
    for (const vm of one.plan.vms.filter(isShared))
      shared.set(vm.id, [...(shared.get(vm.id) ?? []), { ...one, vm }])
  for (const held of shared.values()) judge(held, whyGone)
  return new Map(
    brought.map(({ sibling, plan }) => {
      const vms = plan.vms.map((vm) => marked(vm, sibling, shared.get(vm.id)))
      return [sibling.run, { ...plan, vms }]
    }),
  )
}

/**
 * Owes for the VMs whose snapshot another run takes what this one would have to put right alone after a crash: the whole snapshot, since
 * nothing replicates any more by then, and the overlays on its own secondary.
 */
export function oweFollowed(run: Run, plan: BackupPlan, verdicts: Verdicts): void {
  for (const vm of snapshotsOf(plan)) {
    const lead = leadOf(vm, run.id)
    if (lead === run.id || verdicts.failed(vm.id)) continue
    const owed = { vm: { id: vm.id, name: vm.name }, domain: plan.domain.id, overlays: vm.overlays }
    run.owe({ kind: 'overlays', ...owed })
    run.owe({ kind: 'snapshot', ...owed, description: snapshotDescription(lead), shared: true })
  }
}

function isShared(vm: VmPlan): boolean {
  return (
    vm.way !== 'left out' && vm.disks.some(({ volume }) => volume !== undefined) && siblingsOf(vm).length > 0
  )
}

function judge(held: readonly Held[], whyGone: (run: string) => string | undefined): void {
  const [first, ...others] = held
  for (const { vm, verdicts } of others) if (first !== undefined) verdicts.share(vm.id, first.verdicts)
  for (const { vm, verdicts } of held) {
    const why = whyNotWhole(vm, held, whyGone)
    if (why !== undefined) verdicts.fail(vm.id, why)
  }
}

function whyNotWhole(
  vm: VmPlan,
  held: readonly Held[],
  whyGone: (run: string) => string | undefined,
): string | undefined {
  for (const { id, name, elsewhere } of vm.disks) {
    if (elsewhere === undefined) continue
    const there = held.find(({ sibling }) => sibling.run === elsewhere.run)?.vm
    const gone = whyGone(elsewhere.run)
    if (there === undefined && gone !== undefined)
      return `disk ${name} lies on volume ${elsewhere.primary}, whose run has ended: ${gone}`
    const isSame =
      there?.way === vm.way && there.disks.some((disk) => disk.id === id && disk.volume !== undefined)
    if (!isSame) return `the VM changed while its volumes were looked at: run again`
  }
  return undefined
}

function marked(vm: VmPlan, { run }: Sibling, held: readonly Held[] = []): VmPlan {
  const lead = held[0]?.sibling.run
  if (lead === undefined || !isShared(vm)) return vm
  const others = held.filter(({ sibling }) => sibling.run !== run)
  const overlays = others.flatMap((one) => (one.vm.way === 'snapshot' ? one.vm.overlays : []))
  return { ...vm, shared: { lead, overlays } }
}
