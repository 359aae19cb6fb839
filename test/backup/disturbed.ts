import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { vdsmLayout } from '../../src/ovirt/vdsm-layout.ts'
import type { DiskResult, Report } from '../../src/run/report.ts'
import { domain } from '../support/memory-hypervisor.ts'
import type { createStage } from '../support/stage.ts'
import { aDisk } from '../support/vms.ts'
import { ovfStores } from '../support/volume-files.ts'
import { type Intercept, intercepted } from './intercept.ts'

type Stage = Awaited<ReturnType<typeof createStage>>

/** Every guest that runs writes into the volume that its disks run on, each time anybody asks anything. */
function letGuestsWrite(stage: Stage, count: number): void {
  for (const vm of stage.engine.world.vms) {
    if (vm.status !== 'up') continue
    for (const { id, volume = '' } of vm.disks) {
      const { data } = vdsmLayout.filesOf(domain.id, id, volume)
      writeFileSync(join(stage.replicated.primaryDir, data), `${count} `.padStart(20), { flag: 'r+' })
    }
  }
}

/** So that all that a run can owe is owed. */
export const limited = { bandwidth: [{ value: 1_048_576 }] }

export interface Tried {
  report: Report
  hit: string | undefined
  /** The data of each image at the moment when replication began. */
  frozen: Map<string, string>
}

/** One run whose every call goes through `between`; `hit` is the method of the call `at`, if it came to that. */
export async function runWith(
  stage: Stage,
  between: Intercept,
  at: number,
  signal: AbortSignal,
): Promise<Tried> {
  const { hypervisor } = stage.engine
  const { replication } = stage.replicated
  let calls = 0
  let hit: string | undefined
  const counted: Intercept = (method, act) => {
    calls += 1
    letGuestsWrite(stage, calls)
    if (calls === at) hit = method
    return between(method, act)
  }
  stage.engine.hypervisor = intercepted(hypervisor, counted)
  stage.replicated.replication = intercepted(replication, counted)
  const frozen = new Map<string, string>()
  const report = await stage.run(limited, {
    signal,
    onEvent(event) {
      if (event.kind !== 'step began' || event.step !== 'replicate') return
      for (const [file, text] of imagesOf(stage, 'primaryDir')) frozen.set(file, text)
    },
  })
  stage.engine.hypervisor = hypervisor
  stage.replicated.replication = replication
  return { report, hit, frozen }
}

function imagesOf(stage: Stage, end: 'primaryDir' | 'secondaryDir'): Map<string, string> {
  const root = stage.replicated[end]
  const paths = readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => path.includes('/images/') && !ovfStores.some(({ image }) => path.includes(image)))
  return new Map(paths.map((path) => [path.slice(root.length + 1), readFileSync(path, 'utf8')]))
}

const base = (disk: string) => aDisk(disk).volume ?? ''

/** What a report claims and the world denies. */
export function lies(stage: Stage, { report, frozen }: Tried): string[] {
  const there = imagesOf(stage, 'secondaryDir')
  const disks = report.vms.filter((vm) => vm.state === 'protected').flatMap((vm) => vm.disks)
  const found = disks.flatMap((disk) => flawsOf(disk, there, frozen))
  const leftOpen = report.leftOpen.length
  if (stage.owed().length !== leftOpen) found.push(`owes ${stage.owed().join()} and tells of ${leftOpen}`)
  return found
}

type Files = ReadonlyMap<string, string>

function flawsOf({ id, name }: DiskResult, there: Files, frozen: Files): string[] {
  const { data } = vdsmLayout.filesOf(domain.id, id, base(name))
  const others = [...there.keys()].filter((file) => file.includes(id) && !file.startsWith(data))
  return [
    ...(there.get(data) === frozen.get(data) ? [] : [`${name} is not as it was when it was frozen`]),
    ...(there.get(`${data}.meta`)?.includes('VOLTYPE=LEAF') ? [] : [`${name} is no top`]),
    ...others.map((file) => `${name} has ${file}`),
  ]
}

/** What is left behind in the world, each under the kind of obligation that ought to stand for it. */
export async function leftovers(stage: Stage): Promise<{ kind: string; what: string }[]> {
  const { vms, jobs } = stage.engine.world
  const { replication } = stage.replicated
  const { state } = await replication.session(AbortSignal.timeout(1000))
  const { limit } = await replication.limitFound(AbortSignal.timeout(1000))
  const rows = vms.filter((vm) => vm.snapshots.some((row) => row.kind === 'regular'))
  const bases = vms.flatMap((vm) => vm.disks.map((disk) => base(disk.name)))
  const overlaysAt = (end: 'primaryDir' | 'secondaryDir') =>
    [...imagesOf(stage, end).keys()].filter((file) => !bases.some((volume) => file.includes(volume)))
  return [
    ...rows.map((vm) => ({ kind: 'snapshot', what: `snapshot of ${vm.name}` })),
    ...overlaysAt('primaryDir').map((what) => ({ kind: 'snapshot', what })),
    ...overlaysAt('secondaryDir').map((what) => ({ kind: 'overlays', what })),
    ...jobs
      .filter((job) => job.state === 'running' && job.description.startsWith('vmbackup'))
      .map((job) => ({ kind: 'job', what: job.description })),
    ...(state === 'active' ? [{ kind: 'session', what: 'the session runs' }] : []),
    ...(limit === 'none' ? [] : [{ kind: 'bandwidth', what: `the session is limited to ${limit}` }]),
    ...readdirSync(join(stage.stateDir, 'mnt')).map((what) => ({ kind: 'mount', what })),
  ]
}

/** What is left behind although no entry of the ledger stands for it. */
export async function unowed(stage: Stage): Promise<string[]> {
  const owed = new Set(stage.owed())
  return (await leftovers(stage)).flatMap(({ kind, what }) => (owed.has(kind) ? [] : [`not owed: ${what}`]))
}

/** What is left behind at all. */
export async function litter(stage: Stage): Promise<string[]> {
  return [...stage.owed().map((kind) => `owed: ${kind}`), ...(await leftovers(stage)).map(({ what }) => what)]
}

/** The one event that each run posts. */
export function eventsOf(stage: Stage, { run }: Report): number {
  return stage.engine.world.announced.filter(({ text }) => text.includes(run)).length
}
