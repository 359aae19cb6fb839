import type { Attachment, Disk, Snapshot, Vm, Volume } from '../world/entities.ts'
import type { Ground } from './ground.ts'

/** What is particular about a new VM; the rest is standard: up, with a guest agent. */
export interface VmDraft {
  name: string
  status?: 'up' | 'down'
  origin?: Vm['origin']
  guestAgent?: boolean
  disks: DiskDraft[]
}

/** What is particular about a disk; the rest is standard: a plugged image on the host's domain. */
export interface DiskDraft {
  alias?: string
  storageType?: Disk['storageType']
  domain?: string
  shareable?: boolean
  plugged?: boolean
  sizeBytes?: number
}

const memoryBytes = 1024 ** 3
const lun = {
  id: '36001405e0a1b2c3d4e5f60718293a4b5',
  address: '192.0.2.10',
  target: 'iqn.2026-01.example:lun',
}

/** Adds a VM with its disks to a world that is not booted. */
export function addVm(ground: Ground, draft: VmDraft): Vm {
  const { world, id, now } = ground
  const { name, status = 'up', origin = 'ovirt', guestAgent = true } = draft
  const up = status === 'up'
  const active = activeSnapshot(id(`${name}/active`), now)
  const vm: Vm = {
    id: id(name),
    name,
    description: '',
    status,
    origin,
    cluster: id('cluster'),
    host: up ? id('host1') : undefined,
    stateless: false,
    guestAgent,
    highlyAvailable: false,
    haPriority: 1,
    memoryBytes,
    created: now,
    started: up ? now : undefined,
    stopped: up ? undefined : now,
    attachments: new Map(),
    snapshots: [active],
    tags: new Set(),
    generation: 1,
    ovf: undefined,
    lock: undefined,
  }
  world.vms.set(vm.id, vm)
  for (const [index, disk] of draft.disks.entries()) attach(ground, vm, active.id, disk, index)
  return vm
}

function activeSnapshot(id: string, date: Date): Snapshot {
  return {
    id,
    description: 'Active VM',
    type: 'active',
    status: 'ok',
    date,
    memory: false,
    disks: new Map(),
    configured: true,
  }
}

function attach(ground: Ground, vm: Vm, snapshot: string, draft: DiskDraft, index: number): void {
  const alias = `${vm.name}_Disk${index + 1}`
  const disk = newDisk(ground, `${vm.name}/disk${index + 1}`, { alias, ...draft }, snapshot)
  disk.vms.add(vm.id)
  const attachment: Attachment = {
    disk: disk.id,
    plugged: draft.plugged ?? true,
    bootable: index === 0,
    readOnly: false,
  }
  vm.attachments.set(disk.id, attachment)
}

/** Adds a disk to the world; its ids come from the key. */
export function newDisk(ground: Ground, key: string, draft: DiskDraft, snapshot?: string): Disk {
  const { id, now, diskBytes, world } = ground
  const isImage = draft.storageType !== 'lun'
  const volume: Volume = {
    id: id(`${key}/volume`),
    format: 'raw',
    parent: undefined,
    snapshot,
    status: 'ok',
    created: now,
    allocatedBytes: 0,
  }
  const disk: Disk = {
    id: id(key),
    alias: draft.alias ?? key,
    description: '',
    storageType: isImage ? 'image' : 'lun',
    contentType: 'data',
    sizeBytes: draft.sizeBytes ?? diskBytes,
    domain: isImage ? (draft.domain ?? id('domain')) : undefined,
    shareable: draft.shareable ?? false,
    status: 'ok',
    volumes: isImage ? [volume] : [],
    vms: new Set(),
    ...(isImage ? {} : { lun }),
  }
  world.disks.set(disk.id, disk)
  return disk
}
