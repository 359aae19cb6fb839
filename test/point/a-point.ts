import type { PointDisk, PointVm, RecoveryPoint } from '../../src/point/manifest.ts'
import { packOvf } from '../../src/point/manifest.ts'

const uuidOf = (number: number): string => `${String(number).padStart(8, '0')}-aaaa-4bbb-8ccc-0123456789ab`

/** A finished recovery point with one protected VM; `change` is laid over it. */
export function aPoint(change: Partial<RecoveryPoint> = {}): RecoveryPoint {
  return {
    run: '20261121T010000Z-00000001',
    tool: 'vmbackup 0.0.0',
    state: 'finished',
    startedAt: '2026-11-21T01:00:00.000Z',
    finishedAt: '2026-11-21T01:02:00.000Z',
    supersedes: [],
    primary: { volume: 'data' },
    secondary: { host: 'gs1', volume: 'data-dr' },
    engine: 'https://engine.example.com/ovirt-engine/api',
    domain: { id: uuidOf(1), name: 'data', blockBytes: 512 },
    comparison: { mode: 'full', bytesRead: 1_048_576 },
    ovfStores: [],
    vms: [aPointVm()],
    ...change,
  }
}

export function aPointVm(change: Partial<PointVm> = {}): PointVm {
  return {
    id: uuidOf(70),
    name: 'web',
    state: 'protected',
    consistency: 'frozen',
    asOf: { earliest: '2026-11-21T01:00:10.000Z', latest: '2026-11-21T01:00:12.000Z' },
    ran: true,
    disks: [aPointDisk()],
    ovf: packOvf('<Envelope/>'),
    ...change,
  }
}

function aPointDisk(change: Partial<PointDisk> = {}): PointDisk {
  return {
    id: uuidOf(10),
    name: 'web-disk1',
    state: 'protected',
    sizeBytes: 1_048_576,
    chain: [
      {
        volume: uuidOf(11),
        role: 'top',
        format: 'raw',
        capacityBytes: 1_048_576,
        fileBytes: 1_048_576,
        content: { kind: 'full', sha256: 'a'.repeat(64) },
      },
    ],
    ...change,
  }
}
