import { vdsmFormat } from '../../src/ovirt/vdsm-domain.ts'
import type { PointDisk, PointVm, RecoveryPoint } from '../../src/point/manifest.ts'
import { packOvf } from '../../src/point/manifest.ts'
import { paceOf } from '../../src/point/pace.ts'
import { listPoints } from '../../src/point/points.ts'
import { type Verification, type VerifyOptions, verifyPoint } from '../../src/point/verify.ts'
import { fakeClock, volumeAt } from '../support/stage.ts'

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

/** The newest recovery point below the root of a secondary volume; throws when it is not ready. */
export async function newestPoint(root: string): Promise<RecoveryPoint> {
  const [found] = await listPoints(root)
  if (found?.status !== 'ready') throw new Error(`no point that is ready: ${found?.status}`)
  return found.point
}

/** What `vmbackup verify` would say of a point, the newest if none is given. */
export async function verified(
  root: string,
  change: Partial<VerifyOptions> = {},
  point?: RecoveryPoint,
): Promise<Verification> {
  return verifyPoint(point ?? (await newestPoint(root)), {
    volume: volumeAt(root),
    format: vdsmFormat,
    parallel: 2,
    pace: paceOf(undefined, fakeClock()),
    signal: new AbortController().signal,
    content: true,
    told: () => undefined,
    ...change,
  })
}
