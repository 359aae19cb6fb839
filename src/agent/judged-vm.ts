import { z } from 'zod'
import type { Alert } from '../model/alert.ts'
import { known } from '../model/known.ts'
import type { InventoryVm } from './ports.ts'
import { isoTime } from './progress.ts'
import type { Expectation, RpoVerdict } from './rpo.ts'
import type { VmStanding } from './standing.ts'
import { type RpoChange, tellRpo } from './tellings.ts'
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

/** Its RPO counts from now on: it was not to be protected before, or by other volumes. */
export function isWantedAnew(vm: Omit<InventoryVm, 'id'>, before: VmMemory | undefined): boolean {
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
