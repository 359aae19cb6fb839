import { randomUUID } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { chainOf, hintOf, Refused } from '../model/errors.ts'
import type { Finding } from '../model/finding.ts'
import type { OpenVolume } from '../model/replication.ts'
import type { Site } from '../model/site.ts'
import type { StorageDomain, Vm } from '../model/vm.ts'
import type { Run } from '../run/run.ts'
import { domainFindings, findDomain, placeOf } from './find-domain.ts'
import type { BackupOptions } from './options.ts'
import { type BackupPlan, planBackup, type Sibling } from './plan.ts'
import { everything, resolveSelection, type Selected } from './select.ts'
import { shortage } from './space-guard.ts'
import { vmFindings } from './vm-findings.ts'
import { openVolume } from './volumes.ts'

/** What preflight learned: a plan if the engine could be read, and everything that was found. */
export interface Preflight {
  plan?: BackupPlan
  findings: Finding[]
}

/**
 * Looks at everything that a run needs, both ends at once, and lists all that it finds; disks that `others`, runs of the same job, are about
 * are left to them. Changes nothing at either site.
 */
export async function inspect(
  run: Run,
  site: Site,
  options: BackupOptions,
  others: readonly Sibling[] = [],
): Promise<Preflight> {
  const [engine, replication, pair] = await Promise.all([
    gather('the engine', () => inspectEngine(run, site)),
    gather('the replication', () => inspectReplication(run, site, options)),
    gather('the volumes', async () => ({ value: await site.replication.pair(run.signal), findings: [] })),
  ])
  const findings = [...engine.findings, ...replication.findings]
  // What it stumbles over stands among the findings of the replication already, in better words; if not, it must be told.
  if (replication.findings.every(({ severity }) => severity !== 'error')) findings.push(...pair.findings)
  if (engine.value === undefined || pair.value === undefined) return { findings }

  const domain = findDomain(engine.value.domains, pair.value, options.storageDomain)
  if ('severity' in domain) return { findings: [...findings, domain] }
  const inventory = await gather('the engine', () => inspectVms(run, site, domain, options))
  findings.push(...inventory.findings, ...domainFindings(domain, replication.value))
  if (inventory.value === undefined) return { findings }
  const { vms, selected } = inventory.value
  const { engine: product, lastEvent } = engine.value
  const places = others.map((one) => placeOf(one, engine.value?.domains ?? []))
  const planned = await gather('the selection', async () => ({
    value: planBackup(domain, vms, newId, { engine: product, lastEvent }, selected, places),
    findings: [],
  }))
  findings.push(...planned.findings)
  const plan = planned.value
  if (plan === undefined) return { findings }
  return { plan, findings: [...findings, ...vmFindings(vms, plan, options.selection, run)] }
}

/** Returns the plan, telling warnings; throws Refused with all errors at once. */
export async function preflight(
  run: Run,
  site: Site,
  options: BackupOptions,
  others: readonly Sibling[] = [],
): Promise<BackupPlan> {
  const { plan, findings } = await inspect(run, site, options, others)
  run.signal.throwIfAborted()
  for (const { severity, subject, what, hint } of findings) {
    if (severity === 'warning') {
      run.emit({ kind: 'note', severity: 'warning', text: `${subject}: ${what}; ${hint}` })
    }
  }
  const errors = findings.filter((finding) => finding.severity === 'error')
  if (errors.length > 0 || plan === undefined) throw refusal(errors)
  return plan
}

function refusal(errors: readonly Finding[]): Refused {
  const said = errors.map(({ subject, what }) => `${subject}: ${what}`)
  const hints = [...new Set(errors.map(({ hint }) => hint))]
  const count = errors.length === 1 ? 'one thing' : `${errors.length} things`
  return new Refused(`refused, nothing was touched; ${count} to put right: ${said.join(' | ')}`, {
    hint: hints.join(' | '),
  })
}

/** Runs one group of checks; what it throws is a finding, so that the other groups are told, too. */
async function gather<T>(
  subject: string,
  look: () => Promise<{ value: T; findings: Finding[] }>,
): Promise<{ value?: T; findings: Finding[] }> {
  try {
    return await look()
  } catch (error) {
    const finding: Finding = {
      severity: 'error',
      subject,
      what: chainOf(error).join(': '),
      hint: hintOf(error) ?? 'put this right and run again',
    }
    return { findings: [finding] }
  }
}

/** What the engine is and has, before its VMs are looked at. */
interface SeenEngine {
  domains: StorageDomain[]
  engine: string
  lastEvent: number
}

async function inspectEngine(run: Run, site: Site): Promise<{ value: SeenEngine; findings: Finding[] }> {
  const { hypervisor } = site
  const engine = await hypervisor.about(run.signal)
  const [findings, domains, lastEvent] = await Promise.all([
    hypervisor.findings(run.signal),
    hypervisor.domains(run.signal),
    hypervisor.latestEvent(run.signal),
  ])
  return { value: { domains, engine, lastEvent }, findings }
}

/** The VMs of the domain, and who among them is selected. */
async function inspectVms(
  run: Run,
  { hypervisor }: Site,
  domain: StorageDomain,
  { selection = { ...everything, policies: [] } }: BackupOptions,
): Promise<{ value: { vms: Vm[]; selected: Selected }; findings: Finding[] }> {
  const [vms, selected] = await Promise.all([
    hypervisor.vms(domain, run.signal),
    resolveSelection(hypervisor, selection, selection.policies, run.signal),
  ])
  return { value: { vms, selected }, findings: selected.findings }
}

/** What lies at the primary's root, if it could be mounted. */
type Root = readonly string[] | undefined

async function inspectReplication(
  run: Run,
  site: Site,
  options: BackupOptions,
): Promise<{ value: Root; findings: Finding[] }> {
  const { replication } = site
  const limited = options.bandwidth !== undefined && options.bandwidth.length > 0
  const findings = [
    ...(await replication.findings(run.signal)),
    ...(limited ? await replication.limitFindings(run.signal) : []),
  ]
  if (findings.some((finding) => finding.severity === 'error')) return { value: undefined, findings }
  const mounted = await inspectMounts(run, site, options)
  return { value: mounted.value, findings: [...findings, ...mounted.findings] }
}

/** Both volumes are mounted here for a moment: what cannot be mounted now cannot be cleaned or compared later. */
async function inspectMounts(
  run: Run,
  site: Site,
  options: BackupOptions,
): Promise<{ value: Root; findings: Finding[] }> {
  await using primary = await openVolume(run, site, 'primary')
  await using secondary = await openVolume(run, site, 'secondary')
  return { value: await readdir(primary.dir), findings: await spaceFindings(primary, secondary, options) }
}

async function spaceFindings(
  primary: OpenVolume,
  secondary: OpenVolume,
  options: BackupOptions,
): Promise<Finding[]> {
  const [here, there] = await Promise.all([primary.space(), secondary.space()])
  const findings: Finding[] = []
  const short = shortage(here, options.minFree)
  if (short !== undefined) {
    findings.push({
      severity: 'error',
      subject: 'primary volume',
      what: `${short}: overlays might fill it, and every guest would stop`,
      hint: 'free or add space there, or lower [snapshot] min_free',
    })
  }
  if (there.freeBytes === 0) {
    findings.push({
      severity: 'error',
      subject: 'secondary volume',
      what: 'it is full',
      hint: 'free or add space at the secondary site',
    })
  }
  const used = here.sizeBytes - here.freeBytes
  if (there.freeBytes > 0 && there.sizeBytes < used) {
    findings.push({
      severity: 'warning',
      subject: 'secondary volume',
      what: `it has ${there.sizeBytes} bytes in all, and the primary uses ${used}`,
      hint: 'add bricks at the secondary site before it fills up',
    })
  }
  return findings
}

/** As Node makes one it is a tree of twenty parts, which takes eight times the memory until somebody needs it whole. */
export function newId(): string {
  return Buffer.from(randomUUID()).toString()
}
