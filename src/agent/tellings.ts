import { createHash } from 'node:crypto'
import type { Alert, Severity } from '../model/alert.ts'
import type { Report } from '../run/report.ts'
import { listWords, spanWords, timeWords } from './words.ts'

const mostNamed = 20

/** How a job's run ended, over all its pairs. */
export interface RunEnd {
  /** `protected` only if every pair's run was. */
  outcome: Report['outcome']
  severity: Severity
  /** The same for two ends of which the second tells nothing new. */
  digest: string
  alert: Omit<Alert, 'severity'>
}

const severities: Record<Report['outcome'], Severity> = {
  protected: 'normal',
  'partly protected': 'warning',
  locked: 'warning',
  cancelled: 'warning',
  failed: 'alert',
  refused: 'alert',
  'usage error': 'alert',
}
const worstFirst: Report['outcome'][] = [
  'failed',
  'refused',
  'usage error',
  'locked',
  'cancelled',
  'partly protected',
  'protected',
]

/** What is to be told when the runs of a job have ended. */
export function tellRunEnd(job: string, reports: readonly Report[], at: number): RunEnd {
  const worst = worstFirst.flatMap((outcome) => reports.find((one) => one.outcome === outcome) ?? [])[0]
  const outcome = worst?.outcome ?? 'failed'
  const vms = reports.flatMap((report) => report.vms)
  const failed = [
    ...new Map(vms.flatMap((vm) => (vm.state === 'failed' ? [[vm.name, vm.why] as const] : []))),
  ]
  const counted = new Set(vms.filter((vm) => vm.state !== 'left out').map(({ id }) => id))
  const error = worst?.error
  const good = counted.size - failed.length
  const title =
    outcome === 'protected' || outcome === 'partly protected'
      ? `${job}: ${good} of ${counted.size} VMs protected`
      : `${job}: the run was not completed (${outcome}): ${error?.message ?? 'no reason was given'}`
  const lines = [
    ...(error === undefined ? [] : [[error.message, ...error.causes].join(': ')]),
    ...(error?.hint === undefined ? [] : [`What to do: ${error.hint}`]),
    ...failed.slice(0, mostNamed).map(([name, why]) => `${name}: ${why}`),
    ...(failed.length > mostNamed ? [`and ${failed.length - mostNamed} more`] : []),
    ...reports.flatMap(({ leftOpen }) => leftOpen.map(({ what, why }) => `Still owed: ${what}: ${why}`)),
    ...reports.map(
      ({ run, primary, secondary }) =>
        `${primary} to ${secondary.host}:${secondary.volume}: vmbackup report ${run}`,
    ),
  ]
  return {
    outcome,
    severity: severities[outcome],
    digest: digestOf(outcome, error?.message ?? '', ...failed.flat()),
    alert: {
      id: `run ${job} ${worst?.run ?? at}`,
      matter: `run ${job}`,
      kind: outcome === 'protected' ? 'run protected' : 'run not protected',
      at,
      job,
      ...(worst === undefined ? {} : { run: worst.run }),
      title,
      text: lines.join('\n'),
    },
  }
}

/** A VM whose standing against its RPO has changed. */
export interface RpoChange {
  id: string
  name: string
  rpoMs: number
  provedAsOf?: number
  breachAt: number
  why?: string
}

const rpoKinds = { warning: 'rpo warning', breach: 'rpo breach', ok: 'rpo clear' } as const
const rpoSeverities = { warning: 'warning', breach: 'alert', ok: 'warning' } as const

/** VMs of one job that came to stand so at the same time are told together. */
export function tellRpo(
  job: string,
  to: keyof typeof rpoKinds,
  vms: readonly RpoChange[],
  at: number,
  timeZone?: string,
): Alert {
  const names = listWords(
    vms.map(({ name }) => name),
    3,
  )
  const [one] = vms
  const clock = (time: number): string => timeWords(time, timeZone)
  const title = {
    warning:
      one !== undefined && vms.length === 1
        ? `${job}: ${names} breaks its RPO of ${spanWords(one.rpoMs)} at ${clock(one.breachAt)}`
        : `${job}: ${vms.length} VMs are about to break their RPO: ${names}`,
    breach:
      vms.length === 1
        ? `${job}: ${names} has no recovery point within its RPO of ${spanWords(one?.rpoMs ?? 0)}`
        : `${job}: ${vms.length} VMs have no recovery point within their RPO: ${names}`,
    ok: `${job}: ${names} ${vms.length === 1 ? 'is' : 'are'} within the RPO again`,
  }[to]
  const lines = vms.slice(0, mostNamed).map((vm) => {
    const proved =
      vm.provedAsOf === undefined
        ? 'no recovery point'
        : `newest proved point ${clock(vm.provedAsOf)}, ${spanWords(at - vm.provedAsOf)} ago`
    return `${vm.name}: ${proved}, RPO ${spanWords(vm.rpoMs)}${vm.why === undefined ? '' : `; ${vm.why}`}`
  })
  if (vms.length > mostNamed) lines.push(`and ${vms.length - mostNamed} more: vmbackup vms --job ${job}`)
  if (to !== 'ok') lines.push(`What to do: look at vmbackup status, and start a run: vmbackup run ${job}`)
  const about = vms.map(({ id, breachAt }) => `${id} ${breachAt}`).toSorted()
  return {
    id: `rpo ${to} ${job} ${digestOf(...about)}`,
    matter: `rpo ${job}`,
    kind: rpoKinds[to],
    severity: rpoSeverities[to],
    at,
    job,
    ...(vms.length === 1 && one !== undefined ? { vm: one.name } : {}),
    title,
    text: lines.join('\n'),
  }
}

/** VMs that were behind and that nobody waits for any more: deleted, moved to other volumes, or not to be protected. */
export function tellDropped(
  job: string,
  vms: readonly { id: string; name: string; why: string | undefined }[],
  at: number,
): Omit<Alert, 'severity'> {
  const names = listWords(
    vms.map(({ name }) => name),
    3,
  )
  const lines = vms.slice(0, mostNamed).map(({ name, why }) => `${name}: ${why ?? 'it is gone'}`)
  if (vms.length > mostNamed) lines.push(`and ${vms.length - mostNamed} more`)
  return {
    id: `rpo dropped ${job} ${digestOf(String(at), ...vms.map(({ id }) => id))}`,
    matter: `rpo ${job}`,
    kind: 'rpo clear',
    at,
    job,
    title: `${job}: ${names} ${vms.length === 1 ? 'has' : 'have'} no RPO any more`,
    text: lines.join('\n'),
  }
}

/** Starts that did not happen. `missed`: while nobody could start them; `skipped`: since the one before was still going on. */
export function tellNotStarted(
  job: string,
  kind: 'run missed' | 'run skipped',
  starts: { first: number; count: number },
  what: string,
  at: number,
  timeZone?: string,
): Alert {
  const { first, count } = starts
  const runs = count === 1 ? 'the run' : `${count} runs`
  const since = count === 1 ? `of ${timeWords(first, timeZone)}` : `since ${timeWords(first, timeZone)}`
  const how = kind === 'run missed' ? (count === 1 ? 'was missed' : 'were missed') : 'was not started'
  return {
    id: `${kind} ${job} ${first}`,
    matter: `run ${job}`,
    kind,
    severity: kind === 'run missed' ? 'warning' : 'normal',
    at,
    job,
    title: `${job}: ${runs} ${since} ${how}`,
    text: what,
  }
}

/** Something that keeps the agent from its work, or does no more. */
export function tellTrouble(matter: string, what: string, since: number, at: number, over: boolean): Alert {
  return {
    id: `trouble ${matter} ${since}${over ? ' over' : ''}`,
    matter: `trouble ${matter}`,
    kind: over ? 'trouble over' : 'trouble',
    severity: 'warning',
    at,
    title: over
      ? `${matter}: works again after ${spanWords(at - since)}`
      : `${matter}: ${what.split('\n')[0]}`,
    text: over
      ? `It had failed since ${timeWords(since)}.`
      : `${what}\nSince ${timeWords(since)}. The agent goes on trying by itself; vmbackup status shows how it stands.`,
  }
}

function digestOf(...parts: string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 24)
}

/** A run that the agent did not live to see the end of. */
export function tellInterrupted(
  { name: job, timeZone }: { name: string; timeZone?: string | undefined },
  since: number,
  at: number,
): Alert {
  return {
    id: `interrupted ${job} ${since}`,
    matter: `run ${job}`,
    kind: 'run not protected',
    severity: 'alert',
    at,
    job,
    title: `${job}: the run of ${timeWords(since, timeZone)} was interrupted: the agent was ended in the middle of it`,
    text: 'What it had left is settled now. The next run makes a new recovery point; vmbackup status shows when it starts.',
  }
}
