import { renameSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { EngineError } from '../../src/model/errors.ts'
import type { Hypervisor } from '../../src/model/hypervisor.ts'
import type { StorageDomain, Vm } from '../../src/model/vm.ts'
import { vdsmFormat } from '../../src/ovirt/vdsm-domain.ts'
import { vdsmLayout } from '../../src/ovirt/vdsm-layout.ts'
import { createActs, diskOf, rowOf, type World } from './memory-acts.ts'
import { createTags } from './memory-tags.ts'
import { createVolumeFiles } from './volume-files.ts'

export const domain: StorageDomain = {
  id: '5d000000-0000-4000-8000-000000000001',
  name: 'vmstore',
  type: 'glusterfs',
  address: 'gp1',
  path: '/data',
  dataCenterId: 'dc',
  status: 'active',
}

/** A second one, on a volume of its own. */
export const otherDomain: StorageDomain = {
  ...domain,
  id: '5d000000-0000-4000-8000-000000000002',
  name: 'vmstore2',
  path: '/data2',
}

/** What goes wrong, by VM name, changed by a test at any moment. */
export interface HypervisorFaults {
  snapshot: Record<
    string,
    'refused' | 'job fails' | 'doubtful' | 'never ends' | 'request lost' | 'answer lost'
  >
  /**
   * What becomes of a freeze; one that hangs ends with the caller's patience, and the guest is frozen, as it is when the
   * answer is no because it came too late. A `mute` agent answers no, and no to a thaw as well.
   */
  freeze: Record<string, 'refused' | 'hangs' | 'late no' | 'mute'>
  /** So many merges of this VM fail from now on. */
  merges: Record<string, number>
  /** Looks that an act takes before it is done. */
  looks: number
  failing: Partial<Record<keyof Hypervisor, string>>
}

/**
 * An engine over the files of a directory that stands for the primary volume, and of another one where there are two; its state is kept
 * in `root`.
 */
export async function createMemoryHypervisor(
  root: string,
  volumeDir: string,
  vms: Vm[] = [],
  given: Partial<HypervisorFaults> = {},
  otherDir?: string,
) {
  const faults: HypervisorFaults = { snapshot: {}, freeze: {}, merges: {}, looks: 1, failing: {}, ...given }
  const file = join(root, 'engine.json')
  const earlier = await load(file)
  const world = earlier ?? aWorld(vms)
  const save = async (): Promise<void> => {
    // Synchronous, so that acts under way at the same time do not meet in the middle of it.
    writeFileSync(`${file}.new`, JSON.stringify(world))
    renameSync(`${file}.new`, file)
  }
  const files = createVolumeFiles(volumeDir, domain.id)
  const volumes = [{ domain, files }]
  if (otherDir !== undefined)
    volumes.push({ domain: otherDomain, files: createVolumeFiles(otherDir, otherDomain.id) })
  const filesOf = (image: string) => {
    const domains = world.vms.flatMap(({ disks }) => disks).find(({ id }) => id === image)?.domains
    return volumes.find((one) => domains?.includes(one.domain.id))?.files ?? files
  }
  if (earlier === undefined) {
    for (const one of volumes) await one.files.makeDomain()
    await Promise.all(vms.flatMap((vm) => vm.disks.map((disk) => filesOf(disk.id).make(disk))))
  }
  const acts = createActs(world, filesOf)
  await save()

  /** As the engine's timer does it: what the engine believes now, overlays and all. */
  async function writeOvfStores(of = volumes): Promise<void> {
    for (const one of of) {
      const isThere = ({ disks }: Vm): boolean =>
        volumes.length === 1 || disks.some(({ domains }) => domains.includes(one.domain.id))
      await one.files.writeOvfStores(acts.shown().filter(isThere), (disk) => acts.chainOf(disk))
    }
  }

  const enter = (method: keyof Hypervisor, signal?: AbortSignal): void => {
    signal?.throwIfAborted()
    const why = faults.failing[method]
    if (why !== undefined) throw new EngineError(`${method}: ${why}`)
  }
  const hypervisor: Hypervisor = {
    layout: vdsmLayout,
    format: vdsmFormat,
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
      return volumes.map((one) => one.domain)
    },
    async vms({ id }, signal) {
      enter('vms', signal)
      return acts.shown().filter(({ disks }) => disks.some((one) => one.domains.includes(id)))
    },
    async observe(refs, prefix, signal) {
      enter('observe', signal)
      await acts.advance()
      await save()
      const ids = new Set(refs.map((ref) => ref.id))
      const vms = acts.shown().filter((vm) => ids.has(vm.id))
      const { jobs, events } = structuredClone(world)
      return {
        vms: new Map(vms.map((vm) => [vm.id, vm])),
        jobs: jobs.filter(({ tag }) => acts.ownTags.has(tag) && tag.startsWith(prefix)),
        events: events.filter((event) => event.tag?.startsWith(prefix)),
      }
    },
    ...createTags(world, { enter, save }),
    async isGone({ id }, signal) {
      enter('isGone', signal)
      return world.vms.every((vm) => vm.id !== id)
    },
    async updateOvfStore({ id }, tag, signal) {
      enter('updateOvfStore', signal)
      world.acts.push('update OVF store')
      await writeOvfStores(volumes.filter((one) => one.domain.id === id))
      acts.startJob(tag, 'update OVF store', 'finished')
    },
    async latestEvent(signal) {
      enter('latestEvent', signal)
      return world.events.length
    },
    async eventsAfter(id, signal) {
      enter('eventsAfter', signal)
      return structuredClone(world.events).filter((event) => event.id > id && event.vmId !== undefined)
    },
    async freeze({ id, name }, signal) {
      enter('freeze', signal)
      const no = new EngineError('[the agent says no]', { status: 400 })
      if (faults.freeze[name] === 'refused' || faults.freeze[name] === 'mute') throw no
      world.frozen.push(id)
      world.acts.push(`freeze ${name}`)
      await save()
      if (faults.freeze[name] === 'late no') throw no
      if (faults.freeze[name] === 'hangs')
        await new Promise((_, late) => signal.addEventListener('abort', late))
    },
    async thaw({ id, name }, signal) {
      enter('thaw', signal)
      if (faults.freeze[name] === 'mute') throw new EngineError('[no answer to a thaw]', { status: 400 })
      if (world.frozen.includes(id)) world.acts.push(`thaw ${name}`)
      world.frozen = world.frozen.filter((one) => one !== id)
      await save()
    },
    async takeSnapshot(ref, { description, overlays }, tag, signal) {
      enter('takeSnapshot', signal)
      const vm = world.vms.find(({ id }) => id === ref.id)
      if (vm === undefined) throw new EngineError(`VM ${ref.name} is not there`, { status: 400 })
      const fault = faults.snapshot[vm.name]
      failBefore(fault, vm)
      acts.refuseIfBusy(vm)
      for (const overlay of overlays) diskOf(vm, overlay)
      world.acts.push(`snapshot ${vm.name}`)
      const snapshotId = `snapshot-${vm.id}-${world.acts.length}`
      vm.snapshots.push({ id: snapshotId, description, kind: 'regular', status: 'locked' })
      world.overlays[snapshotId] = [...overlays]
      const fate = fault === undefined ? 'done' : fates[fault]
      acts.begin(vm, { tag, vmId: vm.id, snapshotId, act: 'take', looks: faults.looks, fate })
      await save()
      if (fault === 'answer lost') throw new EngineError('the connection broke: nobody knows')
      return snapshotId
    },
    async removeSnapshot(ref, snapshotId, tag, signal) {
      enter('removeSnapshot', signal)
      const vm = world.vms.find(({ id }) => id === ref.id)
      if (vm === undefined || rowOf(vm, snapshotId) === undefined) return
      acts.refuseIfBusy(vm)
      world.acts.push(`merge ${vm.name}`)
      const failures = faults.merges[vm.name] ?? 0
      if (failures > 0) faults.merges[vm.name] = failures - 1
      const fate = failures > 0 ? 'fails' : 'done'
      acts.begin(vm, { tag, vmId: vm.id, snapshotId, act: 'merge', looks: faults.looks, fate })
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
        .filter(({ id, state }) => id.startsWith('pane-') && state === 'running')
        .filter(({ description }) => description.includes(text))
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
      const job = world.jobs.find((one) => one.id === id)
      if (job !== undefined) job.state = succeeded ? 'finished' : 'failed'
      for (const one of world.steps) if (one.job === id) one.succeeded ??= succeeded
      await save()
    },
    async close() {},
  }
  return { hypervisor, world, faults, files, writeOvfStores }
}

const fates = {
  refused: 'done',
  'request lost': 'done',
  'answer lost': 'done',
  'job fails': 'fails',
  doubtful: 'doubtful',
  'never ends': 'never',
} as const

/** What keeps the engine from ever taking a snapshot. */
function failBefore(fault: HypervisorFaults['snapshot'][string] | undefined, { name }: Vm): void {
  if (fault === 'refused') throw new EngineError(`[Cannot create Snapshot of ${name}]`, { status: 409 })
  if (fault === 'request lost') throw new EngineError('the connection broke: nobody knows')
}

/** The world as an earlier process left it. */
async function load(file: string): Promise<World | undefined> {
  const text = await readFile(file, 'utf8').catch(() => undefined)
  return text === undefined ? undefined : (JSON.parse(text) as World)
}

function aWorld(vms: Vm[]): World {
  const nothing = { jobs: [], events: [], pending: [], announced: [], steps: [], frozen: [], acts: [] }
  const clusters = [{ id: 'cluster-1', name: 'Default' }]
  return { ...structuredClone(nothing), vms, overlays: {}, clusters, tags: [], tagged: [] }
}
