import type { Finding } from '../model/finding.ts'
import type { Vm } from '../model/vm.ts'
import type { Owed } from '../run/obligation.ts'
import type { Run } from '../run/run.ts'
import { isOurSnapshot } from './names.ts'
import type { BackupPlan } from './plan.ts'
import type { NamedSelection } from './select.ts'

/** What stands against a run, or should be known before it, in the VMs themselves. */
export function vmFindings(
  vms: readonly Vm[],
  plan: BackupPlan,
  selection: NamedSelection | undefined,
  run: Run,
): Finding[] {
  const findings = plan.vms.some((vm) => vm.way !== 'left out') ? [] : [nobodyFinding(plan, selection)]
  const owed = new Set(descriptionsIn(run.owed()))
  const elsewhere = new Set(descriptionsIn(run.owedElsewhere()))
  for (const vm of vms) {
    for (const snapshot of vm.snapshots) {
      const finding = snapshotFinding(vm, snapshot.description, owed, elsewhere)
      if (finding !== undefined) findings.push(finding)
    }
  }
  return findings
}

function nobodyFinding(plan: BackupPlan, selection: NamedSelection | undefined): Finding {
  const finding = { severity: 'error', subject: `storage domain ${plan.domain.name}` } as const
  if (selection === undefined || plan.vms.length === 0) {
    const hint = 'check that the volume is the one that holds the VMs'
    return { ...finding, what: 'no VM there can be protected', hint }
  }
  const by = selection.job === undefined ? '' : ` by job ${selection.job}`
  const whys = [...new Set(plan.vms.flatMap((vm) => (vm.way === 'left out' ? [vm.why] : [])))]
  return {
    ...finding,
    what: `none of its ${plan.vms.length} VMs is protected${by}: ${whys.slice(0, 5).join('; ')}`,
    hint: `look at select, exclude and exclude_disks${selection.job === undefined ? '' : ` of [job ${selection.job}]`}, and at the tags of the VMs in the engine`,
  }
}

function descriptionsIn(owed: readonly Owed[]): string[] {
  return owed.flatMap(({ what }) => (what.kind === 'snapshot' ? [what.description] : []))
}

function snapshotFinding(
  vm: Vm,
  description: string,
  owed: ReadonlySet<string>,
  elsewhere: ReadonlySet<string>,
): Finding | undefined {
  if (description.endsWith('-TMPDR')) {
    return {
      severity: 'error',
      subject: `VM ${vm.name}`,
      what: `snapshot "${description}" belongs to the engine's own remote data sync`,
      hint: 'let that sync end and switch its schedule off for this storage domain: both would drive the same session',
    }
  }
  if (elsewhere.has(description) && !owed.has(description)) {
    return {
      severity: 'warning',
      subject: `VM ${vm.name}`,
      what: `snapshot "${description}" was left by a run of another secondary volume`,
      hint: 'settle it with: vmbackup recover',
    }
  }
  if (isOurSnapshot(description) && !owed.has(description)) {
    return {
      severity: 'warning',
      subject: `VM ${vm.name}`,
      what: `snapshot "${description}" was left by a run that this state directory knows nothing of`,
      hint: 'delete it in the portal if no other vmbackup is running',
    }
  }
  return undefined
}
