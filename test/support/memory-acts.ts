import { EngineError } from '../../src/model/errors.ts'
import type { Announcement, Cluster, EngineEvent, EventMeaning, Job } from '../../src/model/hypervisor.ts'
import type { Disk, Overlay, Snapshot, Vm } from '../../src/model/vm.ts'
import type { createVolumeFiles } from './volume-files.ts'

interface Pending {
  tag: string
  vmId: string
  snapshotId: string
  act: 'take' | 'merge'
  /** Looks until it ends. */
  looks: number
  fate: 'done' | 'fails' | 'doubtful' | 'never'
}

/** What the fake engine knows; a VM's disks name the volumes that its guest writes to. */
export interface World {
  vms: Vm[]
  jobs: Job[]
  events: EngineEvent[]
  pending: Pending[]
  /** By snapshot. */
  overlays: Record<string, Overlay[]>
  announced: (Announcement & { number: number })[]
  steps: { job: string; step: string; succeeded?: boolean }[]
  /** Ids of VMs whose guests are frozen. */
  frozen: string[]
  clusters: Cluster[]
  tags: { name: string; below?: string }[]
  tagged: { vm: string; tag: string }[]
  acts: string[]
}

/** How snapshots come and go in a fake engine, look by look. */
export function createActs(world: World, filesOf: (image: string) => ReturnType<typeof createVolumeFiles>) {
  /** Of an act of another process the engine tells no tag, only the snapshot and the events. */
  const ownTags = new Set<string>()
  /** What a look is ending at this moment: until that is done it is under way, also for a process that comes after this one. */
  const ending = new Set<Pending>()
  /** Another look may be ending it, or have ended it meanwhile. */
  const isUnderWay = (act: Pending): boolean => !ending.has(act) && world.pending.includes(act)
  const overlaysOf = (act: Pending) => world.overlays[act.snapshotId] ?? []

  function startJob(tag: string, description: string, state: Job['state']): void {
    ownTags.add(tag)
    world.jobs.push({ id: `job-${world.jobs.length}`, tag, description, state })
  }

  function setStatus(vm: Vm, act: Pending, status: 'ok' | 'locked'): void {
    const row = rowOf(vm, act.snapshotId)
    if (row !== undefined) row.status = status
    for (const overlay of overlaysOf(act)) diskOf(vm, overlay).status = status
  }

  function end(vm: Vm, act: Pending, state: Job['state'], meaning: EventMeaning): void {
    world.pending.splice(world.pending.indexOf(act), 1)
    setStatus(vm, act, 'ok')
    for (const job of world.jobs) if (job.tag === act.tag) job.state = state

    tell(world, vm.id, meaning, act.tag)
  }

  function forget(vm: Vm, act: Pending): void {
    delete world.overlays[act.snapshotId]
    vm.snapshots = vm.snapshots.filter(({ id }) => id !== act.snapshotId)
  }

  async function endTake(vm: Vm, act: Pending): Promise<void> {
    if (act.fate === 'fails') {
      end(vm, act, 'failed', 'snapshot failed')
      forget(vm, act)
      return
    }
    for (const overlay of overlaysOf(act)) await filesOf(overlay.image).addOverlay(overlay)
    // All disks of a VM at one instant.
    for (const overlay of overlaysOf(act)) diskOf(vm, overlay).volume = overlay.overlay
    end(vm, act, 'finished', act.fate === 'doubtful' ? 'snapshot doubtful' : 'snapshot taken')
  }

  async function endMerge(vm: Vm, act: Pending): Promise<void> {
    if (act.fate === 'fails') {
      end(vm, act, 'failed', 'merge failed')
      return
    }
    for (const overlay of overlaysOf(act)) {
      const disk = diskOf(vm, overlay)
      const above = childOf(world, overlay)
      // The guest writes to the base before what it wrote to is gone.
      if (above === undefined) disk.volume = overlay.base
      await filesOf(overlay.image).merge(overlay, above?.overlay)
    }
    // Not before all files are merged: who ends it once more, after a kill in between, must find the same overlays above.
    for (const overlay of overlaysOf(act)) {
      const above = childOf(world, overlay)
      if (above !== undefined) above.base = overlay.base
    }
    end(vm, act, 'finished', 'snapshot removed')
    forget(vm, act)
  }

  return {
    ownTags,
    startJob,

    begin(vm: Vm, act: Pending): void {
      setStatus(vm, act, 'locked')
      world.pending.push(act)
      startJob(act.tag, `${act.act} ${rowOf(vm, act.snapshotId)?.description}`, 'running')
    },

    /** As the engine does while a snapshot of the VM is being made or merged. */
    refuseIfBusy(vm: Vm): void {
      if ([...vm.snapshots, ...vm.disks].every(({ status }) => status !== 'locked')) return
      throw new EngineError(`[The VM ${vm.name} is performing an operation on a Snapshot]`, { status: 409 })
    },

    /** One look brings every act under way one look further. */
    async advance(): Promise<void> {
      for (const act of [...world.pending]) {
        if (!isUnderWay(act)) continue
        const vm = world.vms.find(({ id }) => id === act.vmId)
        act.looks -= 1
        if (act.fate === 'never' || act.looks > 0 || vm === undefined) continue
        ending.add(act)
        await (act.act === 'take' ? endTake(vm, act) : endMerge(vm, act))
        ending.delete(act)
      }
    },

    /** The volumes of a disk that the engine knows, bottom first. */
    chainOf({ id, volume }: Disk): string[] {
      if (volume === undefined) return []
      const all = Object.values(world.overlays).flat()
      const chain = [volume]
      for (;;) {
        const below = all.find((one) => one.image === id && one.overlay === chain[0])
        if (below === undefined) return chain
        chain.unshift(below.base)
      }
    },

    /** The VMs as the engine's database has them: it names overlays long before the guest writes to them. */
    shown(): Vm[] {
      const vms = structuredClone(world.vms)
      for (const act of world.pending) {
        const vm = vms.find(({ id }) => id === act.vmId)
        if (vm === undefined || act.act === 'merge') continue
        for (const overlay of overlaysOf(act)) diskOf(vm, overlay).volume = overlay.overlay
      }
      return vms
    },
  }
}

/** Logs an event about a VM; without a tag it is somebody else's doing. */
function tell(world: World, vmId: string, meaning: EventMeaning, tag?: string): void {
  const id = world.events.length + 1
  const event = {
    id,
    at: Date.now(),
    code: 0,
    meaning,
    severity: 'error',
    text: 'told by the fake',
    vmId,
  } as const
  world.events.push(tag === undefined ? event : { ...event, tag })
}

/** The overlay that stands on this one. */
function childOf(world: World, { image, overlay }: Overlay): Overlay | undefined {
  return Object.values(world.overlays)
    .flat()
    .find((one) => one.image === image && one.base === overlay)
}

export function rowOf(vm: Vm, snapshotId: string): Snapshot | undefined {
  return vm.snapshots.find(({ id }) => id === snapshotId)
}

/** Throws the engine's refusal when the VM has no such disk. */
export function diskOf(vm: Vm, { image }: Overlay): Disk {
  const disk = vm.disks.find(({ id }) => id === image)
  if (disk === undefined) throw new EngineError(`VM ${vm.name} has no disk ${image}`, { status: 400 })
  return disk
}
