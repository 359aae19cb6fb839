import { listPoints } from '../../src/point/points.ts'
import type { Report, VmResult } from '../../src/run/report.ts'
import type { TwoPairs } from '../support/two-pairs.ts'
import { leftovers, litter } from './disturbed.ts'

/** The state of each VM, run by run. */
export function statesOf(reports: readonly Report[]): Record<string, VmResult['state']>[] {
  return reports.map(({ vms }) => Object.fromEntries(vms.map(({ name, state }) => [name, state])))
}

/** What is said of a VM by both runs. */
export function whysOf(reports: readonly Report[], name: string): (string | undefined)[] {
  return reports.map(({ vms }) => vms.find((vm) => vm.name === name)?.why)
}

/** What the manifests claim of the VM, volume by volume. */
export async function claimsOf(pairs: TwoPairs, name: string): Promise<(string | undefined)[]> {
  return Promise.all(
    pairs.stages.map(async ({ replicated }) => {
      const [newest] = await listPoints(replicated.secondaryDir)
      return newest?.status === 'ready'
        ? newest.point.vms.find((vm) => vm.name === name)?.state
        : newest?.status
    }),
  )
}

/** What is left behind anywhere. */
export async function litterOf(pairs: TwoPairs): Promise<string[]> {
  const found = await Promise.all(pairs.stages.map(litter))
  const frozen = pairs.engine.world.frozen.map((id) => `frozen: ${id}`)
  return [...new Set([...found.flat(), ...frozen])]
}

/** What is left behind although no entry of either ledger stands for it. */
export async function unowedOf(pairs: TwoPairs): Promise<string[]> {
  const owed = new Set(pairs.stages.flatMap((stage) => stage.owed()))
  const found = await Promise.all(pairs.stages.map(leftovers))
  return found.flat().flatMap(({ kind, what }) => (owed.has(kind) ? [] : [`not owed: ${what}`]))
}
