import type { JobConfig } from '../../../src/config/keys.ts'
import type { Hypervisor } from '../../../src/model/hypervisor.ts'
import { nameOfPair } from '../../../src/model/pair.ts'
import type { Vm } from '../../../src/model/vm.ts'
import { ledgerIn, overwrittenBy } from '../../../src/run/keeping.ts'
import { Ledger } from '../../../src/run/ledger.ts'
import type { Report, VmResult } from '../../../src/run/report.ts'
import { runId } from '../../../src/run/run.ts'
import { aJob, hour } from '../../agent/a-job.ts'
import { planAll } from './plan-all.ts'

/** So many jobs on one volume, each with a copy of its own and its share of the VMs by their names. */
export function jobsOf(many: number): JobConfig[] {
  return Array.from({ length: many }, (_, index) =>
    aJob({
      name: `job${index}`,
      pairs: [{ primary: 'vmstore', secondary: { host: 'dr1', volume: `copy${index}` } }],
      rpoMs: 24 * hour,
      select: [{ by: 'regex', pattern: `^vm\\d*[${shareOf(index, many)}]$` }],
    }),
  )
}

function shareOf(index: number, many: number): string {
  return [...'0123456789'].filter((digit) => Number(digit) % many === index).join('')
}

export interface HistoryOrder {
  stateDir: string
  jobs: number
  /** Of each job. */
  runs: number
}

/** Writes down so many runs of each job, the newest an hour ago: each tells of all VMs on the volume, as runs do. */
export async function writeHistory(
  hypervisor: Hypervisor,
  { stateDir, jobs, runs }: HistoryOrder,
): Promise<void> {
  const { signal } = new AbortController()
  const { vms } = await planAll(hypervisor, signal)
  for (const job of jobsOf(jobs)) {
    const [pair] = job.pairs
    if (pair === undefined) continue
    const [{ pattern } = { pattern: '' }] = job.select as { pattern: string }[]
    using ledger = new Ledger(ledgerIn(stateDir), nameOfPair(pair))
    for (let ago = runs; ago > 0; ago--) {
      const at = new Date(Date.now() - ago * hour)
      const run = runId(at)
      const results = vms.map((vm) => resultOf(vm, new RegExp(pattern).test(vm.name), at.toISOString()))
      const report: Report = {
        version: 1,
        run,
        job: job.name,
        outcome: 'protected',
        startedAt: at.toISOString(),
        finishedAt: new Date(at.getTime() + hour / 6).toISOString(),
        ...pair,
        steps: [],
        vms: results,
        overwrote: true,
        manifest: `vmbackup/points/${run}.json`,
        warnings: [],
        leftOpen: [],
      }
      ledger.remember(report)
      ledger.note(overwrittenBy, run)
    }
  }
}

function resultOf({ id, name, disks }: Vm, selected: boolean, at: string): VmResult {
  const each = (state: 'protected' | 'left out') =>
    disks.map((disk) => ({ id: disk.id, name: disk.name, state }))
  if (!selected) return { id, name, disks: each('left out'), state: 'left out', why: 'not selected by job' }
  const asOf = { earliest: at, latest: at }
  return {
    id,
    name,
    disks: each('protected'),
    state: 'protected',
    consistency: 'frozen',
    content: 'samples',
    asOf,
  }
}
