import type { Pair } from '../model/pair.ts'
import type { Disk, Overlay, StorageDomain, Vm, VmRef, VmStatus } from '../model/vm.ts'
import { takesLiveSnapshot } from '../model/vm.ts'
import { isOurSnapshot } from './names.ts'
import type { Selected } from './select.ts'

/** Another run of the same job, by the pair of volumes that it is about. */
export interface Sibling extends Pair {
  run: string
}

/** A sibling, and the storage domains on its primary volume. */
export type Place = Sibling & { domains: readonly StorageDomain[] }

export interface PlannedDisk {
  id: string
  name: string
  sizeBytes: number
  /** Set when the disk takes part: its top volume when the plan was made. */
  volume?: string
  /** Set when it takes part in another run of the same job. */
  elsewhere?: Sibling
  /** Set when it does not, and why. */
  leftOut?: string
}

/** `snapshot`: runs, and is frozen by overlays; `offline`: is down, and must stay so; `refused`: ought to take part, and cannot. */
export type VmPlan = VmRef & {
  clusterId?: string
  /** When the plan was made. */
  status: VmStatus
  disks: PlannedDisk[]
  /** Ids of the snapshots that it had: one that goes during the run is merged into a volume that is being copied. */
  snapshots: string[]
  /** Set on a VM that has disks in other runs of the job, too: the run that takes and merges its one snapshot, and its overlays in the others. */
  shared?: { lead: string; overlays: Overlay[] }
} & (
    | { way: 'snapshot'; guestAgent: boolean; overlays: Overlay[] }
    | { way: 'offline' }
    | { way: 'refused'; why: string }
    | { way: 'left out'; why: string }
  )

export interface BackupPlan {
  domain: StorageDomain
  vms: VmPlan[]
  /** What the engine calls itself. */
  engine: string
  /** The engine's newest event before the VMs were looked at: what came later may have spoilt a copy. */
  lastEvent: number
}

/** Snapshots of ours that could not be merged make a chain longer at every run; with so many it gets no more. */
const mostUnmerged = 3

/** Who is to take part; everybody and everything when there is none. */
type Choice = Pick<Selected, 'whyNotSelected' | 'whyDiskExcluded'>

const noChoice: Choice = { whyNotSelected: () => undefined, whyDiskExcluded: () => undefined }

/**
 * Plain data: which VMs and disks take part and how, and which do not and why. `newId` names the overlays; `others` are what the other runs
 * of the job are about. What is not selected is replicated all the same, since geo-replication sends whole volumes: torn, and claimed by
 * nothing.
 */
export function planBackup(
  domain: StorageDomain,
  vms: readonly Vm[],
  newId: () => string,
  seen: Pick<BackupPlan, 'engine' | 'lastEvent'>,
  choice = noChoice,
  others: readonly Place[] = [],
): BackupPlan {
  const sorted = [...vms].sort((a, b) => a.name.localeCompare(b.name) || a.id.localeCompare(b.id))
  return { domain, vms: sorted.map((vm) => planVm({ domain, newId, choice, others }, vm)), ...seen }
}

/** The plans of VMs that take a snapshot. */
export function snapshotsOf(plan: BackupPlan): (VmPlan & { way: 'snapshot' })[] {
  return plan.vms.filter((vm) => vm.way === 'snapshot')
}

/** The plans of VMs that are down. */
export function offlineOf(plan: BackupPlan): VmPlan[] {
  return plan.vms.filter((vm) => vm.way === 'offline')
}

/** The VMs that are copied, unless something is found against them. */
export function takesPart(vm: VmPlan): boolean {
  return vm.way === 'snapshot' || vm.way === 'offline'
}

/** The VMs that have disks in other runs of the job, too. */
export function sharedOf(plan: BackupPlan): VmPlan[] {
  return plan.vms.filter((vm) => vm.shared !== undefined)
}

/** The runs that hold other disks of a VM. */
export function siblingsOf(vm: VmPlan): string[] {
  return vm.disks.flatMap(({ elsewhere }) => elsewhere?.run ?? [])
}

/** All overlays of a VM's one snapshot, on whichever volume. */
export function allOverlaysOf(vm: VmPlan): Overlay[] {
  return vm.way === 'snapshot' ? [...vm.overlays, ...(vm.shared?.overlays ?? [])] : []
}

/** The run that takes and merges a VM's snapshot: `run`, that plans it, unless the VM is shared. */
export function leadOf(vm: VmPlan, run: string): string {
  return vm.shared?.lead ?? run
}

/** The overlay that this run lays over a disk. */
export function overlayOf(vm: VmPlan, image: string): string | undefined {
  return vm.way === 'snapshot' ? vm.overlays.find((one) => one.image === image)?.overlay : undefined
}

/** What a plan is made by. */
interface Planning {
  domain: StorageDomain
  newId: () => string
  choice: Choice
  others: readonly Place[]
}

function planVm(planning: Planning, vm: Vm): VmPlan {
  const { choice } = planning
  const asked = vm.disks.map((disk) => ({ disk, excluded: choice.whyDiskExcluded(vm, disk) }))
  const disks = asked.map(({ disk, excluded }) => planDisk(planning, disk, excluded))
  const planned = {
    id: vm.id,
    name: vm.name,
    ...(vm.clusterId === undefined ? {} : { clusterId: vm.clusterId }),
    status: vm.status,
    disks,
    snapshots: vm.snapshots.filter(({ kind }) => kind === 'regular').map(({ id }) => id),
  }
  const why = whyNoPart(vm, choice)
  if (why !== undefined)
    return { ...planned, disks: disks.map((disk) => withoutPart(disk, why)), way: 'left out', why }
  const wanted = asked.flatMap(({ disk, excluded }) => (excluded === undefined ? [disk] : []))
  const ours = [planning.domain, ...planning.others.flatMap(({ domains }) => domains)]
  const broken = wanted.find(
    ({ domains, status }) => status !== 'ok' && ours.some(({ id }) => domains.includes(id)),
  )
  if (broken !== undefined) {
    return { ...planned, way: 'refused', why: `disk ${broken.name} is ${broken.status}` }
  }
  const taken = disks.filter((disk) => disk.volume !== undefined)
  if (taken.length === 0) return { ...planned, way: 'left out', why: 'none of its disks can take part' }
  const hindrance = hindranceOf(vm)
  if (hindrance !== undefined) return { ...planned, way: 'refused', why: hindrance }
  if (vm.status === 'down') return { ...planned, way: 'offline' }
  const overlays = taken.map((disk) => ({
    image: disk.id,
    base: disk.volume ?? '',
    overlay: planning.newId(),
  }))
  return { ...planned, way: 'snapshot', guestAgent: vm.guestAgent, overlays }
}

function whyNoPart(vm: Vm, choice: Choice): string | undefined {
  if (vm.hostedEngine) return 'hosted engine: the engine takes no snapshot of the VM it runs in'
  return choice.whyNotSelected(vm)
}

function planDisk({ domain, others }: Planning, disk: Disk, excluded: string | undefined): PlannedDisk {
  const planned = { id: disk.id, name: disk.name, sizeBytes: disk.sizeBytes }
  const here = disk.domains.includes(domain.id)
  const place = others.find(({ domains }) => !here && domains.some(({ id }) => disk.domains.includes(id)))
  const why = whyLeftOut(here || place !== undefined, disk, excluded)
  if (why !== undefined) return { ...planned, leftOut: why }
  if (disk.volume === undefined) return { ...planned, leftOut: 'the engine names no volume of it' }
  if (place === undefined) return { ...planned, volume: disk.volume }
  const { run, primary, secondary } = place
  return { ...planned, elsewhere: { run, primary, secondary } }
}

function whyLeftOut(isOurs: boolean, disk: Disk, excluded: string | undefined): string | undefined {
  if (disk.kind === 'lun') return 'direct LUN: it does not lie on the volume'
  if (disk.kind === 'other') return 'not an image disk: it does not lie on the volume'
  if (!isOurs) return 'lies on another storage domain'
  if (excluded !== undefined) return excluded
  if (disk.shareable) return 'shareable: the engine takes no snapshot of it'
  if (!disk.plugged) return 'unplugged: its snapshot could not be merged live'
  if (disk.status !== 'ok') return `the disk is ${disk.status}`
  return undefined
}

function withoutPart(disk: PlannedDisk, why: string): PlannedDisk {
  const { volume: _, elsewhere: __, ...rest } = disk
  return { leftOut: why, ...rest }
}

function hindranceOf(vm: Vm): string | undefined {
  const preview = vm.snapshots.find((snapshot) => snapshot.status === 'in_preview')
  if (preview !== undefined) return `snapshot "${preview.description}" is in preview: commit or undo it`
  const locked = vm.snapshots.find((snapshot) => snapshot.status === 'locked')
  if (locked !== undefined) return `snapshot "${locked.description}" is locked by another operation`
  const unmerged = vm.snapshots.filter(({ description }) => isOurSnapshot(description))
  if (unmerged.length >= mostUnmerged) {
    return `${unmerged.length} snapshots of earlier runs could not be merged: delete them in the portal`
  }
  if (vm.status === 'down' || takesLiveSnapshot(vm.status)) return undefined
  return `the VM is ${stateWords(vm.status)}: the engine takes no snapshot in this state`
}

function stateWords(status: VmStatus): string {
  return status.replaceAll('_', ' ')
}
