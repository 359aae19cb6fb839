import type { Verification, VmVerdict } from '../point/verify.ts'
import type { Paint } from './paint.ts'
import { table } from './table.ts'
import { sizeWords } from './words.ts'

/** What became of a manifest's claims, VM by VM, and the verdict in one line. */
export function renderVerification(verification: Verification, paint: Paint): string {
  const { run, verdict, flaws, vms, bytesRead } = verification
  const parts = flaws.map((flaw) => paint.bad(flaw))
  if (vms.length > 0) {
    parts.push(
      table(
        ['VM', 'VERDICT', 'CONTENT', 'REASON'],
        vms.flatMap((vm) => rowsOf(vm, flaws, paint)),
      ),
    )
  }
  const claimed = vms.filter((vm) => vm.verdict !== 'not claimed')
  const proved = claimed.filter((vm) => vm.verdict === 'proved').length
  const colour = verdict === 'proved' ? paint.good : paint.bad
  const count = vms.length === 0 ? '' : `, ${proved} of ${claimed.length} VMs, ${sizeWords(bytesRead)} read`
  parts.push(`${colour(verdict)}: recovery point ${run}${count}`)
  return parts.join('\n\n')
}

function rowsOf(vm: VmVerdict, flaws: readonly string[], paint: Paint): string[][] {
  const elsewhere = (vm.elsewhere ?? []).map((disk) => `not looked at here: ${disk}`)
  const own = [...vm.why.filter((why) => !flaws.includes(why)), ...elsewhere]
  const [first = '', ...rest] = own
  const content = { full: 'every byte', samples: 'samples', none: 'not compared' }
  const verdicts = { proved: paint.good, refuted: paint.bad, 'not claimed': paint.faint }
  return [
    [vm.name, verdicts[vm.verdict](vm.verdict), vm.content === undefined ? '' : content[vm.content], first],
    ...rest.map((why) => ['', '', '', why]),
  ]
}
