import type { BackupOptions } from '../backup/options.ts'
import type { PlannedDisk, VmPlan } from '../backup/plan.ts'
import type { Preflight } from '../backup/preflight.ts'
import type { Found } from '../run/recover.ts'
import type { Paint } from './paint.ts'
import { table } from './table.ts'
import { durationWords, sizeWords } from './words.ts'

/** What a run would do: findings, VMs, steps. */
export function renderPlan(
  found: Preflight & { owed: readonly Found[] },
  options: BackupOptions,
  paint: Paint,
): string {
  const parts = found.findings.map(({ severity, subject, what, hint }) => {
    const colour = severity === 'error' ? paint.bad : paint.doubtful
    return `${colour(`${severity}: ${subject}: ${what}`)}\n  what to do: ${hint}`
  })
  const { plan } = found
  if (plan !== undefined) {
    parts.push(`storage domain ${plan.domain.name} (${plan.domain.address}:${plan.domain.path})`)
    const rows = plan.vms.flatMap((vm) => vm.disks.map((disk, index) => row(vm, disk, index === 0)))
    parts.push(table(['VM', 'WOULD BE', 'DISK', 'SIZE', 'NOTE'], rows))
    parts.push(stepsOf(plan.vms, options))
  }
  if (found.owed.length > 0) {
    const rows = found.owed.map(({ what, run }) => [what, run])
    parts.push(`first of all, what earlier runs owe:\n${table(['WHAT IS OWED', 'BY RUN'], rows)}`)
  }
  const errors = found.findings.filter((one) => one.severity === 'error').length
  parts.push(
    errors === 0
      ? paint.good('a run would start; nothing was touched')
      : paint.bad(`a run would be refused: ${errors} to put right; nothing was touched`),
  )
  return parts.join('\n\n')
}

function row(vm: VmPlan, disk: PlannedDisk, first: boolean): string[] {
  const size = sizeWords(disk.sizeBytes)
  return [first ? vm.name : '', first ? fate(vm) : '', disk.name, size, noteOn(disk)]
}

function noteOn({ leftOut, elsewhere }: PlannedDisk): string {
  if (elsewhere !== undefined) return `on volume ${elsewhere.primary}, in the run of that pair`
  return leftOut ?? ''
}

function fate(vm: VmPlan): string {
  if (vm.way === 'snapshot') return 'snapshotted'
  if (vm.way === 'offline') return 'copied as it is (down)'
  return vm.way === 'refused' ? `failed: ${vm.why}` : `left out: ${vm.why}`
}

function stepsOf(vms: readonly VmPlan[], options: BackupOptions): string {
  const snapshots = vms.filter((vm) => vm.way === 'snapshot').length
  const steps = [
    'write the VM documents to the storage domain (OVF store)',
    `take ${snapshots} snapshots without memory, ${options.snapshotsAtOnce} at once`,
    `set a checkpoint, start geo-replication, wait at most ${durationWords(options.replicationMs)}, stop it`,
    'look again for VMs that moved meanwhile',
    ...(options.compare === 'off' ? [] : ['compare the frozen images at both ends']),
    `merge the snapshots, ${options.mergesAtOnce} at once, and remove their overlays on the secondary`,
    'prove the images on the secondary, post the closing event',
  ]
  return ['steps:', ...steps.map((step, index) => `  ${index + 1}. ${step}`)].join('\n')
}
