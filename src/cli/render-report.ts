import type { Report, VmResult } from '../run/report.ts'
import { outcomePaint, type Paint } from './paint.ts'
import { table } from './table.ts'
import { durationWords } from './words.ts'

/** The end of a run for people: what became of each VM, what is left to do, and the outcome in one line. */
export function renderReport(report: Report, paint: Paint): string {
  const parts: string[] = []
  if (report.vms.length > 0) parts.push(renderVms(report.vms, paint))
  for (const { what, why } of report.leftOpen) parts.push(paint.doubtful(`still owed: ${what}: ${why}`))
  if (report.error !== undefined) {
    const { message, causes, hint } = report.error
    parts.push([paint.bad(message), ...causes.map((cause) => `  because: ${cause}`)].join('\n'))
    if (hint !== undefined) parts.push(`  what to do: ${hint}`)
  }
  parts.push(renderOutcome(report, paint))
  return parts.join('\n\n')
}

function renderVms(vms: readonly VmResult[], paint: Paint): string {
  return table(
    ['VM', 'STATE', 'DISKS', 'CONSISTENCY OR REASON'],
    vms.flatMap((vm) => rowsOf(vm, paint)),
  )
}

/** One row for the VM, and one for each disk that takes no part in a VM that does. */
function rowsOf(vm: VmResult, paint: Paint): string[][] {
  const out =
    vm.state === 'left out'
      ? []
      : vm.disks.filter(({ state }) => state === 'left out' || state === 'elsewhere')
  const taken = String(vm.disks.length - out.length)
  return [
    [vm.name, paintState(vm, paint), taken, stateDetail(vm)],
    ...out.map((disk) => ['', paint.faint(disk.state), '', `${disk.name}: ${disk.why ?? ''}`]),
  ]
}

function paintState(vm: VmResult, paint: Paint): string {
  if (vm.state === 'protected') return paint.good(vm.state)
  return vm.state === 'failed' ? paint.bad(vm.state) : paint.faint(vm.state)
}

function stateDetail(vm: VmResult): string {
  if (vm.state !== 'protected') return vm.why
  const words = { frozen: 'guest frozen', crash: 'crash-consistent', offline: 'offline (was down)' }
  return vm.why === undefined ? words[vm.consistency] : `${words[vm.consistency]} (${vm.why})`
}

function renderOutcome(report: Report, paint: Paint): string {
  const took = durationWords(Date.parse(report.finishedAt) - Date.parse(report.startedAt))
  const counted = report.vms.filter((vm) => vm.state !== 'left out')
  const count = counted.filter((vm) => vm.state === 'protected').length
  const vms = report.vms.length === 0 ? '' : `, ${count} of ${counted.length} VMs protected`
  return `${outcomePaint(report.outcome, paint)(report.outcome)}${vms}, run ${report.run}, ${took}`
}
