import { lookAgain } from '../../../src/backup/look-again.ts'
import { mergeSnapshots } from '../../../src/backup/merge-snapshots.ts'
import { tagPrefix } from '../../../src/backup/names.ts'
import type { BackupOptions } from '../../../src/backup/options.ts'
import { takeSnapshots } from '../../../src/backup/take-snapshots.ts'
import { Verdicts } from '../../../src/backup/verdicts.ts'
import type { Hypervisor } from '../../../src/model/hypervisor.ts'
import type { Replication } from '../../../src/model/replication.ts'
import type { VmRef } from '../../../src/model/vm.ts'
import { systemClock } from '../../../src/run/clock.ts'
import { perform } from '../../../src/run/perform.ts'
import type { Play, Run } from '../../../src/run/run.ts'
import { planAll } from './plan-all.ts'

export interface RunOrder {
  stateDir: string
  parallel: number
  /** VMs `vm{from}` and those after it are snapshotted and merged. */
  from: number
  vms: number
}

export interface RunEnd {
  /** Of all its acts at the engine. */
  tags: string
  outcome: string
  why: string
  seconds: Record<string, number>
}

const replication = new Proxy({} as Replication, {
  get() {
    throw new Error('the replication has no part in this')
  },
})

/** The steps of a run that the engine has a part in, with lock, lease and ledger: the whole inventory, snapshots and merges of some VMs. */
export async function runSome(hypervisor: Hypervisor, order: RunOrder): Promise<RunEnd> {
  const site = { hypervisor, replication }
  const verdicts = new Verdicts()
  const options = optionsFor(order.parallel)
  const isWanted = (name: string): boolean => {
    const number = Number(name.slice(2))
    return number >= order.from && number < order.from + order.vms
  }
  const story = async (run: Run): Promise<void> => {
    const { plan } = await run.step('plan', () => planAll(hypervisor, run.signal, isWanted))
    verdicts.plan(plan)
    await run.step('snapshot', () => takeSnapshots(run, site, plan, options, verdicts))
    await run.step('look again', () => lookAgain(run, site, plan, verdicts))
    const merged = (vm: VmRef): void => {
      for (const one of run.owed()) if ('vm' in one.what && one.what.vm.id === vm.id) run.strike(one)
    }
    const stuck = (_owed: unknown, vm: VmRef, why: string): void => verdicts.fail(vm.id, why)
    await run.step('merge', () => mergeSnapshots(run, site, run.owed(), options, { merged, stuck }))
  }
  const play: Play = {
    story,
    results: (error) => verdicts.results(error),
    settle: async () => undefined,
    closes: ({ what }) => what.kind === 'event',
    close: async (run, _report, owed) => {
      for (const one of owed) run.strike(one)
    },
  }
  const request = {
    primary: 'data',
    secondary: { host: 'gs1', volume: `data-${order.parallel}` },
    stateDir: order.stateDir,
    signal: new AbortController().signal,
    clock: systemClock,
    emit: () => undefined,
    settleMs: 60_000,
  }
  const report = await perform(request, play)
  return {
    tags: tagPrefix(report.run),
    outcome: report.outcome,
    why: [report.error?.message, ...report.vms.map((vm) => (vm.state === 'failed' ? vm.why : undefined))]
      .filter((one) => one !== undefined)
      .slice(0, 3)
      .join('; '),
    seconds: Object.fromEntries(report.steps.map(({ name, ms }) => [name, ms / 1000])),
  }
}

function optionsFor(parallel: number): BackupOptions {
  return {
    freeze: 'try',
    freezeMs: 10_000,
    snapshotMs: 300_000,
    snapshotsAtOnce: parallel,
    mergeMs: 3_600_000,
    mergesAtOnce: parallel,
    // All run on one host there.
    mergesPerHost: parallel,
    mergeStallMs: 300_000,
    minFree: { bytes: 0 },
    replicationMs: 600_000,
    stallMs: 60_000,
    intervalMs: 1_000,
    compare: 'off',
    sampleBytes: 1_048_576,
    imagesAtOnce: 4,
    healTurns: 2,
    tool: 'vmbackup bench',
  }
}
