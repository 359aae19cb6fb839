import { expect, test } from 'vitest'
import { planBackup } from '../../src/backup/plan.ts'
import { paintFor } from '../../src/cli/paint.ts'
import { renderPlan } from '../../src/cli/render-plan.ts'
import { renderReport } from '../../src/cli/render-report.ts'
import type { Report } from '../../src/run/report.ts'
import { domain } from '../support/memory-hypervisor.ts'
import { quickOptions, seenEngine } from '../support/stage.ts'
import { aDisk, aVm, someMoment } from '../support/vms.ts'

const plain = paintFor({}, {})

const report: Report = {
  version: 1,
  run: 'RUN',
  outcome: 'partly protected',
  startedAt: '2026-11-21T00:00:00.000Z',
  finishedAt: '2026-11-21T00:02:05.000Z',
  primary: 'data',
  secondary: { host: 'gs1', volume: 'data-dr' },
  steps: [],
  overwrote: true,
  vms: [
    {
      id: '1',
      name: 'db',
      state: 'protected',
      consistency: 'crash',
      ...someMoment,
      why: 'not frozen: no guest agent',
      disks: [
        { id: 'd1', name: 'disk1', state: 'protected' },
        { id: 'd2', name: 'quorum', state: 'left out', why: 'shareable' },
      ],
    },
    {
      id: '2',
      name: 'he',
      state: 'left out',
      why: 'hosted engine',
      disks: [{ id: 'd3', name: 'he', state: 'left out' }],
    },
    { id: '3', name: 'spare', state: 'protected', consistency: 'offline', ...someMoment, disks: [] },
    { id: '4', name: 'web', state: 'failed', why: 'torn', disks: [{ id: 'd4', name: 'd', state: 'failed' }] },
  ],
  warnings: [],
  leftOpen: [],
}

test('the end of a run is a table of its VMs and one line', () => {
  expect(renderReport(report, plain)).toBe(
    `
VM     STATE      DISKS  CONSISTENCY OR REASON
-----  ---------  -----  ---------------------------------------------
db     protected  1      crash-consistent (not frozen: no guest agent)
       left out          quorum: shareable
he     left out   1      hosted engine
spare  protected  0      offline (was down)
web    failed     1      torn

partly protected, 2 of 3 VMs protected, run RUN, 2 min 5 s`.slice(1),
  )
})

test('the end of a run that failed says why, what to do and what is still owed', () => {
  const failed: Report = {
    ...report,
    outcome: 'refused',
    vms: [],
    leftOpen: [{ what: 'closing event on the engine', why: 'no answer' }],
    error: { message: 'refused', causes: ['no session', 'no gluster'], hint: 'create it' },
  }
  expect(renderReport(failed, plain)).toBe(
    `
still owed: closing event on the engine: no answer

refused
  because: no session
  because: no gluster

  what to do: create it

refused, run RUN, 2 min 5 s`.slice(1),
  )
})

const plan = planBackup(
  domain,
  [
    aVm('db', { disks: [aDisk('disk1'), aDisk('lun', { kind: 'lun' })] }),
    aVm('spare', { status: 'down' }),
    aVm('busy', { status: 'migrating' }),
    aVm('he', { hostedEngine: true }),
  ],
  () => 'id',
  seenEngine,
)

test('a plan is the VMs with their disks, what would become of them, and the steps', () => {
  expect(renderPlan({ plan, findings: [], owed: [] }, quickOptions, plain)).toBe(
    `
storage domain vmstore (gp1:/data)

VM     WOULD BE                                                                    DISK         SIZE     NOTE
-----  --------------------------------------------------------------------------  -----------  -------  ----------------------------------------------------------------
busy   failed: the VM is migrating: the engine takes no snapshot in this state     busy-disk1   1.0 MiB
db     snapshotted                                                                 disk1        1.0 MiB
                                                                                   lun          1.0 MiB  direct LUN: it does not lie on the volume
he     left out: hosted engine: the engine takes no snapshot of the VM it runs in  he-disk1     1.0 MiB  hosted engine: the engine takes no snapshot of the VM it runs in
spare  copied as it is (down)                                                      spare-disk1  1.0 MiB

steps:
  1. write the VM documents to the storage domain (OVF store)
  2. take 1 snapshots without memory, 4 at once
  3. set a checkpoint, start geo-replication, wait at most 10 min 0 s, stop it
  4. look again for VMs that moved meanwhile
  5. compare the frozen images at both ends
  6. merge the snapshots, 2 at once, and remove their overlays on the secondary
  7. prove the images on the secondary, post the closing event

a run would start; nothing was touched`.slice(1),
  )
})

test('a plan leaves out the comparison when that is off', () => {
  const text = renderPlan({ plan, findings: [], owed: [] }, { ...quickOptions, compare: 'off' }, plain)
  expect(text).not.toContain('compare')
  expect(text).toContain('  6. prove')
})

test('what stands against a run is told before all else, and that it would be refused', () => {
  const findings = [
    { severity: 'error', subject: 'session', what: 'it does not exist', hint: 'create it' },
    { severity: 'warning', subject: 'clock', what: 'it is slow', hint: 'set it' },
  ] as const
  expect(renderPlan({ findings: [...findings], owed: [] }, quickOptions, plain)).toBe(
    `
error: session: it does not exist
  what to do: create it

warning: clock: it is slow
  what to do: set it

a run would be refused: 1 to put right; nothing was touched`.slice(1),
  )
})
