import { z } from 'zod'
import type { Alert } from '../model/alert.ts'
import { known } from '../model/known.ts'
import type { InventoryVm } from './ports.ts'
import { isoTime } from './progress.ts'
import type { Expectation, RpoVerdict } from './rpo.ts'
import type { VmStanding } from './standing.ts'
import { type RpoChange, tellDropped, tellRpo } from './tellings.ts'
import type { VmView } from './view.ts'

/** What is remembered of a VM: its RPO counts from when it was first seen, and a change is told once. */
export const VmMemory = z.object({
  name: z.string(),
  firstSeenAt: z.number(),
  told: z.enum(['ok', 'warning', 'breach', 'none']),
  // The VM as it was seen last, so that its RPO is watched while the engine is away.
  jobs: z.array(z.string()),
  pairs: z.array(z.string()),
  policy: z.string().optional(),
  rpoMs: z.number().optional(),
  whyNot: z.string().optional(),
})
export type VmMemory = z.infer<typeof VmMemory>

/** A VM with all that is known of it at one moment. */
export interface Judged {
  id: string
  vm: VmMemory
  job: string | undefined
  standing: VmStanding
  verdict: RpoVerdict
  expected: Expectation
}

/** As others see it. */
export function viewOf({ id, vm, job, standing, verdict, expected }: Judged): VmView {
  const { name, policy, rpoMs } = vm
  const { state, why } = standing
  const { rpo, forecast } = verdict
  return known({
    id,
    name,
    job,
    policy,
    state,
    provedAsOf: isoTimeIf(standing.provedAsOf),
    rpoMs,
    rpo,
    breachAt: isoTimeIf(verdict.breachAt),
    forecast,
    nextStart: isoTimeIf(finite(expected.startAt)),
    why,
  })
}

function finite(at: number | undefined): number | undefined {
  return at === Number.POSITIVE_INFINITY ? undefined : at
}

function isoTimeIf(at: number | undefined): string | undefined {
  return at === undefined ? undefined : isoTime(at)
}

/** One alert for all VMs of a job that came to stand so. */
export function alertsOf(
  changed: readonly Judged[],
  now: number,
  timeZoneOf: (job: string) => string | undefined,
): Alert[] {
  const groups = Map.groupBy(
    changed.filter(isWorthTelling),
    ({ job, verdict, vm }) => `${verdict.rpo} ${verdict.rpo === 'ok' ? vm.told : ''} ${job}`,
  )
  return [...groups.values()].flatMap((group) => {
    const [{ job, verdict, vm } = {}] = group
    if (job === undefined || verdict === undefined || verdict.rpo === 'none') return []
    const alert = tellRpo(job, verdict.rpo, group.map(changeOf), now, timeZoneOf(job))
    // Who was told of the breach is told that it is over.
    return [verdict.rpo === 'ok' && vm?.told === 'breach' ? { ...alert, severity: 'alert' as const } : alert]
  })
}

/** Somebody was told that it breaks its RPO, or is about to. */
export function isBehind({ told }: VmMemory): boolean {
  return told === 'warning' || told === 'breach'
}

/** One alert for all VMs of a job that were behind and are not watched any more. */
export function droppedAlerts(
  dropped: readonly { id: string; before: VmMemory; why: string | undefined }[],
  now: number,
): Alert[] {
  const groups = Map.groupBy(dropped, ({ before: { jobs, told } }) => `${told} ${jobs[0] ?? ''}`)
  return [...groups.values()].flatMap((group) => {
    const [{ before } = {}] = group
    const job = before?.jobs[0]
    if (before === undefined || job === undefined) return []
    const vms = group.map(({ id, before: { name }, why }) => ({ id, name, why }))
    const alert = tellDropped(job, vms, now)
    return [{ ...alert, severity: before.told === 'breach' ? 'alert' : 'warning' } satisfies Alert]
  })
}

/** A VM as it is seen now, with what is remembered of it. */
export function memoryOf(vm: Omit<InventoryVm, 'id'>, before: VmMemory | undefined, now: number): VmMemory {
  const { told = 'none', firstSeenAt = now } = before ?? {}
  return { ...vm, firstSeenAt: isWantedAnew(vm, before) ? now : firstSeenAt, told }
}

/** Its RPO counts from now on: it was not to be protected before, or by other volumes. */
function isWantedAnew(vm: Omit<InventoryVm, 'id'>, before: VmMemory | undefined): boolean {
  if (before === undefined || vm.rpoMs === undefined || vm.whyNot !== undefined) return false
  if (before.rpoMs === undefined || before.whyNot !== undefined) return true
  return vm.pairs.some((pair) => !before.pairs.includes(pair))
}

/** A warning after a breach is good news that is not good enough; a VM that is new and in order is none. */
function isWorthTelling({ vm: { told }, verdict: { rpo } }: Judged): boolean {
  return !(rpo === 'warning' && told === 'breach') && !(rpo === 'ok' && told === 'none')
}

function changeOf({ id, vm, standing, verdict }: Judged): RpoChange {
  const { name, rpoMs = 0 } = vm
  const { provedAsOf, why } = standing
  return known({ id, name, rpoMs, breachAt: verdict.breachAt ?? 0, provedAsOf, why })
}
