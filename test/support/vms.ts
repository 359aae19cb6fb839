import { createHash } from 'node:crypto'
import type { Disk, Snapshot, Vm } from '../../src/model/vm.ts'
import { domain } from './memory-hypervisor.ts'

/** What a protected VM's result says of its moment, where a test does not care. */
export const someMoment = {
  asOf: { earliest: '2026-11-21T00:00:10.000Z', latest: '2026-11-21T00:00:12.000Z' },
  content: 'samples',
} as const

/** A UUID that the text decides. */
export function uuidOf(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}

/** A plain disk on the protected domain. */
export function aDisk(name: string, change: Partial<Disk> = {}): Disk {
  return {
    id: uuidOf(`image ${name}`),
    name,
    kind: 'image',
    domains: [domain.id],
    volume: uuidOf(`volume ${name}`),
    plugged: true,
    shareable: false,
    status: 'ok',
    sizeBytes: 1_048_576,
    ...change,
  }
}

/** A running VM with one disk on the protected domain. */
export function aVm(name: string, change: Partial<Vm> = {}): Vm {
  return {
    id: uuidOf(`vm ${name}`),
    name,
    status: 'up',
    hostedEngine: false,
    clusterId: 'cluster-1',
    guestAgent: false,
    disks: [aDisk(`${name}-disk1`)],
    snapshots: [{ id: uuidOf(`active ${name}`), description: 'Active VM', kind: 'active', status: 'ok' }],
    ...change,
  }
}

/** A finished snapshot. */
export function aSnapshot(change: Partial<Snapshot> = {}): Snapshot {
  return { id: 'row', description: 'a snapshot', kind: 'regular', status: 'ok', ...change }
}
