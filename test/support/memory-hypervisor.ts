import { renameSync, writeFileSync } from 'node:fs'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { EngineError } from '../../src/model/errors.ts'
import type { Announcement, EngineEvent, Hypervisor, Job } from '../../src/model/hypervisor.ts'
import type { Disk, Overlay, StorageDomain, Vm } from '../../src/model/vm.ts'
import { vdsmLayout } from '../../src/ovirt/vdsm-layout.ts'

export const domain: StorageDomain = {
  id: '5d000000-0000-4000-8000-000000000001',
  name: 'vmstore',
  type: 'glusterfs',
  address: 'gp1',
  path: '/data',
  dataCenterId: 'dc',
  status: 'active',
}

/** What goes wrong, by VM name, changed by a test at any moment. */
export interface HypervisorFaults {
  snapshot: Record<string, 'refused' | 'job fails' | 'doubtful' | 'never ends' | 'answer lost'>
  /** So many merges of this VM fail from now on. */
  merges: Record<string, number>
  /** Looks that an act takes before it is done. */
  looks: number
  failing: Partial<Record<keyof Hypervisor, string>>
}

interface Pending {
  tag: string
  vmId: string
  act: 'take' | 'merge'
  looks: number
  fate: 'done' | 'fails' | 'doubtful' | 'never'
  overlays: Overlay[]
}

interface World {
  vms: Vm[]
  jobs: Job[]
  events: EngineEvent[]
  pending: Pending[]
  overlays: Record<string, Overlay[]>
  announced: (Announcement & { number: number })[]
  steps: { job: string; step: string; succeeded?: boolean }[]
  acts: string[]
}

/** An engine over the files of a directory that stands for the primary volume; its state is kept in `root`. */
export async function createMemoryHypervisor(
  root: string,
  volumeDir: string,
  vms: Vm[] = [],
  given: Partial<HypervisorFaults> = {},
) {
  const faults: HypervisorFaults = { snapshot: {}, merges: {}, looks: 1, failing: {}, ...given }
  const file = join(root, 'engine.json')
  const world = await load(file, vms)
  const save = async (): Promise<void> => {
    // Synchronous, so that acts under way at the same time do not meet in the middle of it.
    writeFileSync(`${file}.new`, JSON.stringify(world))
    renameSync(`${file}.new`, file)
  }
  for (const vm of vms) for (const disk of vm.disks) await makeVolume(volumeDir, disk)
  await save()

  const enter = (method: keyof Hypervisor, signal?: AbortSignal): void => {
    signal?.throwIfAborted()
    const why = faults.failing[method]
    if (why !== undefined) throw new EngineError(`${method}: ${why}`)
  }
  const vmOf = (id: string): Vm => {
    const vm = world.vms.find((one) => one.id === id)
    if (vm === undefined) throw new EngineError(`VM ${id} is not there`, { status: 404 })
    return vm
  }
  const advance = async (): Promise<void> => {
    for (const one of [...world.pending]) {
      if (one.fate === 'never') continue
      one.looks -= 1
      if (one.looks > 0) continue
      world.pending.splice(world.pending.indexOf(one), 1)
      await (one.act === 'take' ? endTake(one) : endMerge(one))
    }
    await save()
  }
  const endJob = (tag: string, state: Job['state']): void => {
    for (const job of world.jobs) if (job.tag === tag) job.state = state
  }
  const tell = (tag: string, meaning: NonNullable<EngineEvent['meaning']>): void => {
    world.events.push({
      id: world.events.length,
      code: 0,
      meaning,
      severity: 'error',
      text: 'told by the fake',
      tag,
    })
  }
  const endTake = async (one: Pending): Promise<void> => {
    const vm = vmOf(one.vmId)
    const row = vm.snapshots.at(-1)
    if (one.fate === 'fails') {
      vm.snapshots.pop()
      endJob(one.tag, 'failed')
      tell(one.tag, 'snapshot failed')
      return
    }
    if (one.fate === 'doubtful') tell(one.tag, 'snapshot doubtful')
    for (const overlay of one.overlays) await switchTo(volumeDir, vm, overlay)
    world.overlays[vm.id] = one.overlays
    if (row !== undefined) row.status = 'ok'
    endJob(one.tag, 'finished')
  }
  const endMerge = async (one: Pending): Promise<void> => {
    const vm = vmOf(one.vmId)
    if (one.fate === 'fails') {
      for (const row of vm.snapshots) row.status = 'ok'
      endJob(one.tag, 'failed')
      tell(one.tag, 'merge failed')
      return
    }
    for (const overlay of world.overlays[vm.id] ?? []) await mergeBack(volumeDir, vm, overlay)
    delete world.overlays[vm.id]
    vm.snapshots = vm.snapshots.filter((row) => row.kind === 'active')
    endJob(one.tag, 'finished')
  }

  const hypervisor: Hypervisor = {
    layout: vdsmLayout,
    async about(signal) {
      enter('about', signal)
      return 'fake engine'
    },
    async findings(signal) {
      enter('findings', signal)
      return []
    },
    async domains(signal) {
      enter('domains', signal)
      return [domain]
    },
    async vms(_domain, signal) {
      enter('vms', signal)
      return structuredClone(world.vms)
    },
    async observe(refs, prefix, signal) {
      enter('observe', signal)
      await advance()
      const ids = new Set(refs.map((ref) => ref.id))
      const seen = structuredClone(world)
      return {
        vms: new Map(seen.vms.filter((vm) => ids.has(vm.id)).map((vm) => [vm.id, vm])),
        jobs: seen.jobs.filter((job) => job.tag.startsWith(prefix)),
        events: seen.events.filter((event) => event.tag?.startsWith(prefix)),
      }
    },
    async updateOvfStore(_domain, tag, signal) {
      enter('updateOvfStore', signal)
      world.acts.push('update OVF store')
      world.jobs.push({ id: `job-${world.jobs.length}`, tag, description: 'ovf', state: 'finished' })
    },
    async takeSnapshot(ref, { description, overlays }, tag, signal) {
      enter('takeSnapshot', signal)
      const vm = vmOf(ref.id)
      const fault = faults.snapshot[vm.name]
      if (fault === 'refused')
        throw new EngineError(`[Cannot create Snapshot of ${vm.name}]`, { status: 409 })
      world.acts.push(`snapshot ${vm.name}`)
      const id = `snapshot-${vm.id}-${world.acts.length}`
      vm.snapshots.push({ id, description, kind: 'regular', status: 'locked' })
      const fate = { 'job fails': 'fails', doubtful: 'doubtful', 'never ends': 'never' } as const
      world.pending.push({
        tag,
        vmId: vm.id,
        act: 'take',
        looks: faults.looks,
        fate: fault === undefined || fault === 'answer lost' ? 'done' : fate[fault],
        overlays: [...overlays],
      })
      world.jobs.push({ id: `job-${world.jobs.length}`, tag, description: 'take', state: 'running' })
      await save()
      if (fault === 'answer lost') throw new EngineError('the connection broke: nobody knows')
      return id
    },
    async removeSnapshot(ref, _snapshotId, tag, signal) {
      enter('removeSnapshot', signal)
      const vm = vmOf(ref.id)
      world.acts.push(`merge ${vm.name}`)
      const failures = faults.merges[vm.name] ?? 0
      if (failures > 0) faults.merges[vm.name] = failures - 1
      for (const row of vm.snapshots) if (row.kind === 'regular') row.status = 'locked'
      world.pending = world.pending.filter((one) => one.vmId !== vm.id)
      world.pending.push({
        tag,
        vmId: vm.id,
        act: 'merge',
        looks: faults.looks,
        fate: failures > 0 ? 'fails' : 'done',
        overlays: [],
      })
      world.jobs.push({ id: `job-${world.jobs.length}`, tag, description: 'merge', state: 'running' })
      await save()
    },
    async announce(announcement, number, signal) {
      enter('announce', signal)
      if (!world.announced.some((one) => one.number === number))
        world.announced.push({ ...announcement, number })
      await save()
    },
    async openJob(description, tag, signal) {
      enter('openJob', signal)
      const id = `pane-${world.jobs.length}`
      world.jobs.push({ id, tag, description, state: 'running' })
      await save()
      return id
    },
    async findJobs(text, signal) {
      enter('findJobs', signal)
      return world.jobs
        .filter((job) => job.state === 'running' && job.description.includes(text))
        .map(({ id }) => id)
    },
    async openStep(job, step, _tag, signal) {
      enter('openStep', signal)
      world.steps.push({ job, step })
      return String(world.steps.length - 1)
    },
    async closeStep(_job, step, succeeded, signal) {
      enter('closeStep', signal)
      const entry = world.steps[Number(step)]
      if (entry !== undefined) entry.succeeded = succeeded
    },
    async closeJob(id, succeeded, signal) {
      enter('closeJob', signal)
      for (const job of world.jobs) if (job.id === id) job.state = succeeded ? 'finished' : 'failed'
      await save()
    },
    async close() {},
  }
  return { hypervisor, world, faults }
}

async function load(file: string, vms: Vm[]): Promise<World> {
  const text = await readFile(file, 'utf8').catch(() => undefined)
  if (text !== undefined) return JSON.parse(text) as World
  return { vms, jobs: [], events: [], pending: [], overlays: {}, announced: [], steps: [], acts: [] }
}

function metaOf(image: string, voltype: string, parent: string): string {
  const lines = [
    'CAP=1048576',
    'CTIME=1700000000',
    'DESCRIPTION={"DiskAlias":"d"}',
    'DISKTYPE=DATA',
    `DOMAIN=${domain.id}`,
    'FORMAT=RAW',
    'GEN=0',
    `IMAGE=${image}`,
    'LEGALITY=LEGAL',
    `PUUID=${parent}`,
    'TYPE=SPARSE',
    `VOLTYPE=${voltype}`,
    'EOF',
  ]
  return `${lines.join('\n')}\n`
}

const noParent = '00000000-0000-0000-0000-000000000000'

async function makeVolume(volumeDir: string, disk: Disk): Promise<void> {
  if (disk.volume === undefined) return
  const { data } = vdsmLayout.filesOf(domain.id, disk.id, disk.volume)
  await mkdir(join(volumeDir, vdsmLayout.directoryOf(domain.id, disk.id)), { recursive: true })
  await writeFile(join(volumeDir, data), `content of ${disk.name} `.repeat(10_000))
  await writeFile(join(volumeDir, `${data}.lease`), 'lease')
  await writeFile(join(volumeDir, `${data}.meta`), metaOf(disk.id, 'LEAF', noParent))
}

async function switchTo(volumeDir: string, vm: Vm, { image, base, overlay }: Overlay): Promise<void> {
  const top = vdsmLayout.filesOf(domain.id, image, overlay).data
  const below = vdsmLayout.filesOf(domain.id, image, base).data
  await writeFile(join(volumeDir, `${below}.meta`), metaOf(image, 'INTERNAL', noParent))
  await writeFile(join(volumeDir, top), 'overlay')
  await writeFile(join(volumeDir, `${top}.lease`), 'lease')
  await writeFile(join(volumeDir, `${top}.meta`), metaOf(image, 'LEAF', base))
  for (const disk of vm.disks) if (disk.id === image) disk.volume = overlay
}

async function mergeBack(volumeDir: string, vm: Vm, { image, base, overlay }: Overlay): Promise<void> {
  for (const file of vdsmLayout.filesOf(domain.id, image, overlay).inRemovalOrder) {
    await rm(join(volumeDir, file), { force: true })
  }
  const below = vdsmLayout.filesOf(domain.id, image, base).data
  await writeFile(join(volumeDir, `${below}.meta`), metaOf(image, 'LEAF', noParent))
  for (const disk of vm.disks) if (disk.id === image) disk.volume = base
}
