import type { Announcement } from '../model/hypervisor.ts'
import type { Site } from '../model/site.ts'
import type { StorageDomain } from '../model/vm.ts'
import type { Obligation, Owed } from '../run/obligation.ts'
import type { Report, VmResult } from '../run/report.ts'
import type { Run } from '../run/run.ts'
import type { BackupPlan } from './plan.ts'

const mostNamed = 20

/** Posts the one closing event of a run. */
export async function announceReport(
  run: Run,
  site: Site,
  report: Report,
  number: number,
  plan: BackupPlan | undefined,
): Promise<void> {
  const clusterId = plan?.vms.find((vm) => vm.clusterId !== undefined)?.clusterId
  await site.hypervisor.announce(
    { ...announcementOf(report), ...referenceTo(plan?.domain, clusterId) },
    number,
    run.signal,
  )
}

/** Tells in one event of runs that ended without telling, newest first: after days without an engine they are many. */
export async function announceInterrupted(
  run: Run,
  site: Site,
  events: readonly (Owed & { what: Obligation & { kind: 'event' } })[],
): Promise<void> {
  const [newest] = events
  if (newest === undefined) return
  const named = events.slice(0, mostNamed).map((one) => `${one.run}, begun ${one.what.startedAt}`)
  const more = events.length > named.length ? `; and ${events.length - named.length} more` : ''
  const text = `vmbackup ${named.join('; ')}${more}: ended without telling how: no recovery point may be assumed from it unless its own report says so`
  await site.hypervisor.announce({ severity: 'alert', text }, newest.what.number, run.signal)
}

/** Pure: severity and text of the closing event. */
export function announcementOf(report: Report): Announcement {
  return { severity: severityOf(report), text: textOf(report) }
}

function severityOf(report: Report): Announcement['severity'] {
  if (report.outcome === 'protected') return report.leftOpen.length === 0 ? 'normal' : 'warning'
  return report.outcome === 'partly protected' ? 'warning' : 'alert'
}

function textOf(report: Report): string {
  const { primary, secondary, vms } = report
  const protectedVms = vms.filter((vm) => vm.state === 'protected')
  const failed = vms.filter((vm) => vm.state === 'failed')
  const parts = [
    `vmbackup ${report.run}: volume ${primary} to ${secondary.host}:${secondary.volume}: ${report.outcome}:`,
    `${protectedVms.length} of ${protectedVms.length + failed.length} VMs protected.`,
  ]
  if (report.error !== undefined) {
    parts.push(`${[report.error.message, ...report.error.causes].join(': ')}.`)
    if (report.error.hint !== undefined) parts.push(`${report.error.hint}.`)
  }
  if (failed.length > 0) parts.push(`Failed: ${list(failed)}.`)
  const leftOut = vms.filter((vm) => vm.state === 'left out')
  if (leftOut.length > 0) parts.push(`Left out: ${list(leftOut)}.`)
  if (report.leftOpen.length > 0) {
    parts.push(
      `Still to be settled: ${report.leftOpen.map(({ what, why }) => `${what} (${why})`).join('; ')}.`,
    )
  }
  return parts.join(' ')
}

function list(vms: readonly VmResult[]): string {
  const named = vms.slice(0, mostNamed).map((vm) => `${vm.name} (${vm.why ?? vm.state})`)
  const more = vms.length - named.length
  return named.join('; ') + (more > 0 ? `; and ${more} more` : '')
}

function referenceTo(
  domain: StorageDomain | undefined,
  clusterId: string | undefined,
): Partial<Pick<Announcement, 'domain' | 'clusterId'>> {
  return {
    ...(domain === undefined ? {} : { domain }),
    ...(clusterId === undefined ? {} : { clusterId }),
  }
}
