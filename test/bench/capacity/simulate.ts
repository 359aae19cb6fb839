import { mergeSnapshots } from '../../../src/backup/merge-snapshots.ts'
import { planBackup } from '../../../src/backup/plan.ts'
import { replicate } from '../../../src/backup/replicate.ts'
import { takeSnapshots } from '../../../src/backup/take-snapshots.ts'
import { Verdicts } from '../../../src/backup/verdicts.ts'
import type { Hypervisor } from '../../../src/model/hypervisor.ts'
import type { Replication } from '../../../src/model/replication.ts'
import type { Vm } from '../../../src/model/vm.ts'
import type { Clock } from '../../../src/run/clock.ts'
import { aRun } from '../../backup/a-run.ts'
import { domain } from '../../support/memory-hypervisor.ts'
import { quickOptions, seenEngine, volumeAt } from '../../support/stage.ts'
import { virtualClock } from '../../support/virtual-clock.ts'
import { aDisk, aVm, uuidOf } from '../../support/vms.ts'
import { type Estate, type Ground, type Knobs, vmsOf } from './estate.ts'
import { createSlowEngine } from './slow-engine.ts'

const hosts = 50
const stepMs = 60_000

/** What the product's own steps took for one volume on a clock of their own, in seconds. */
export interface Simulated {
  snapshot: number
  replicate: number
  merge: number
  unmerged: number
}

/** Plays the snapshots, the replication and the merges of one volume of an estate with the real steps against an engine that takes its time. */
export async function simulate(
  estate: Estate,
  ground: Ground,
  knobs: Knobs,
  replicationSeconds: number,
): Promise<Simulated> {
  const clock = virtualClock(Date.UTC(2026, 10, 21))
  let ended = false
  const played = play(estate, ground, knobs, replicationSeconds, clock).finally(() => {
    ended = true
  })
  while (!ended) await clock.passUntil(clock.now() + stepMs)
  return played
}

async function play(
  estate: Estate,
  ground: Ground,
  knobs: Knobs,
  replicationSeconds: number,
  clock: Clock,
): Promise<Simulated> {
  const vms = Array.from({ length: vmsOf(estate) }, (_, index) => vmOf(estate, index))
  const writes = (estate.bytes / estate.engines / estate.vmsPerEngine) * (estate.changedPerDay / 86_400)
  const hypervisor = createSlowEngine(vms, clock, {
    snapshot: (vm) => ground.snapshotSeconds * spread(vm),
    merge: (vm, age) => ground.mergeSeconds * spread(vm) + (writes * age) / ground.mergeBytesPerSecond,
  })
  const run = aRun({ clock, emit: () => undefined })
  const site = {
    hypervisor: hypervisor as Hypervisor,
    replication: replicationOf(clock, replicationSeconds * 1000) as Replication,
  }
  const options = {
    ...quickOptions,
    ...knobs,
    mergesPerHost: knobs.mergesAtOnce,
    replicationMs: Number.MAX_SAFE_INTEGER,
    stallMs: Number.MAX_SAFE_INTEGER,
  }
  const plan = planBackup(domain, vms, () => uuidOf(String(overlays++)), seenEngine)
  const verdicts = new Verdicts()
  verdicts.plan(plan)
  let unmerged = 0
  const at = (): number => clock.now() / 1000

  const first = at()
  await takeSnapshots(run, site, plan, options, verdicts)
  const taken = at()
  await replicate(run, site, volumeAt('/nowhere'), options)
  const replicated = at()
  // The oldest first, as a run does it.
  await mergeSnapshots(run, site, run.owed().toReversed(), options, {
    merged: () => undefined,
    stuck: () => {
      unmerged += 1
    },
  })
  return {
    snapshot: taken - first,
    replicate: replicated - taken,
    merge: at() - replicated,
    unmerged,
  }
}

let overlays = 0

function vmOf({ disksPerVm }: Estate, index: number): Vm {
  const name = `vm${index}`
  const disks = Array.from({ length: disksPerVm }, (_, disk) => aDisk(`${name}-${disk}`))
  return aVm(name, { hostId: `host${index % hosts}`, disks })
}

/** From half to one and a half, one on average, and always the same for a VM. */
function spread({ id }: Vm): number {
  return 0.5 + (Number.parseInt(id.slice(0, 6), 16) % 1001) / 1000
}

/** Reaches a checkpoint so long after its start. */
function replicationOf(clock: Clock, ms: number): Partial<Replication> {
  let startedAt = 0
  let running = false
  return {
    session: async () => ({ state: running ? 'active' : 'stopped', bricks: [] }),
    mark: () => Promise.resolve(),
    marked: async () => ({ at: Math.floor(clock.now() / 1000) }),
    nudge: () => Promise.resolve(),
    async start() {
      running = true
      startedAt = clock.now()
    },
    async stop() {
      running = false
    },
    async progress() {
      if (clock.now() - startedAt >= ms) return { state: 'reached' }
      return { state: 'waiting', reached: 0, of: 1, busy: true, atWork: true, detail: 'History Crawl' }
    },
  }
}
