import { describe, expect, test } from 'vitest'
import { whyTorn } from '../../src/backup/look-again.ts'
import type { VmPlan } from '../../src/backup/plan.ts'
import { planBackup } from '../../src/backup/plan.ts'
import type { EngineEvent } from '../../src/model/hypervisor.ts'
import type { Snapshot, Vm } from '../../src/model/vm.ts'
import { domain } from '../support/memory-hypervisor.ts'
import { createStage, seenEngine } from '../support/stage.ts'
import { aDisk, aSnapshot, aVm, uuidOf } from '../support/vms.ts'

const description = 'vmbackup run'
const overlay = uuidOf('overlay')

function planned(vm: Vm): VmPlan {
  const [plan] = planBackup(domain, [vm], () => overlay, seenEngine).vms
  if (plan === undefined) throw new Error('a VM has no plan')
  return plan
}

const row = aSnapshot({ description })
const onOverlay = aDisk('disk1', { volume: overlay })

const running = planned(aVm('web', { disks: [aDisk('disk1')] }))
const down = planned(aVm('web', { disks: [aDisk('disk1')], status: 'down' }))

const why = (plan: VmPlan, vm: Vm | undefined, ...events: EngineEvent[]) =>
  whyTorn(plan, vm, domain.id, description, events)
const frozen = (change: Partial<Vm> = {}) => aVm('web', { disks: [onOverlay], snapshots: [row], ...change })
const still = (change: Partial<Vm> = {}) => aVm('web', { disks: [aDisk('disk1')], status: 'down', ...change })

describe('a VM that was snapshotted', () => {
  test('is whole while its disks run on the overlays and its snapshot is there', () => {
    expect(why(running, frozen())).toBeUndefined()
  })

  test('stays whole when it was shut down since: its bases are frozen all the same', () => {
    expect(why(running, frozen({ status: 'down' }))).toBeUndefined()
  })

  test.each<[string, Vm | undefined]>([
    ['the VM was removed during the run', undefined],
    ['its snapshot was removed by somebody else during the run', frozen({ snapshots: [] })],
    [`disk ${onOverlay.id} no longer runs on the overlay of this run`, frozen({ disks: [aDisk('disk1')] })],
    ['disk disk1 left the VM or the storage domain during the run', frozen({ disks: [] })],
    ['disk new was added during the run', frozen({ disks: [onOverlay, aDisk('new')] })],
  ])('is torn: %s', (text, vm) => {
    expect(why(running, vm)).toBe(text)
  })

  test('is whole although a disk was added that lies elsewhere', () => {
    const disks = [onOverlay, aDisk('new', { domains: ['elsewhere'] })]
    expect(why(running, frozen({ disks }))).toBeUndefined()
  })

  test('is whole although a disk moved that was left out from the start', () => {
    const shared = aDisk('shared', { shareable: true })
    const plan = planned(aVm('web', { disks: [aDisk('disk1'), shared] }))
    const disks = [onOverlay, { ...shared, volume: uuidOf('another') }]
    expect(why(plan, frozen({ disks }))).toBeUndefined()
  })
})

describe('a VM that was down', () => {
  test('is whole while it stays down on the same volumes', () => {
    expect(why(down, still())).toBeUndefined()
  })

  test.each<[string, Vm | undefined]>([
    ['the VM was removed during the run', undefined],
    ['the VM was down and is powering up: started during the run', still({ status: 'powering_up' })],
    ['the VM was down and is image locked: started during the run', still({ status: 'image_locked' })],
    [
      'disk disk1 got another active volume during the run',
      still({ disks: [aDisk('disk1', { volume: overlay })] }),
    ],
    ['disk disk1 left the VM or the storage domain during the run', still({ disks: [] })],
    ['disk new was added during the run', still({ disks: [aDisk('disk1'), aDisk('new')] })],
  ])('is torn: %s', (text, vm) => {
    expect(why(down, vm)).toBe(text)
  })
})

describe('a VM that had a snapshot of its owner before', () => {
  const before = aSnapshot({ id: 'before', description: 'before the upgrade' })
  const merged = 'a snapshot that it had is being merged or was merged during the run'
  const ways: [string, VmPlan, (snapshots: Snapshot[]) => Vm][] = [
    [
      'snapshotted',
      planned(aVm('web', { disks: [aDisk('disk1')], snapshots: [before] })),
      (snapshots) => frozen({ snapshots: [row, ...snapshots] }),
    ],
    [
      'down',
      planned(aVm('web', { disks: [aDisk('disk1')], status: 'down', snapshots: [before] })),
      (snapshots) => still({ snapshots }),
    ],
  ]

  test.each(ways)('is whole while that snapshot stays: %s', (_way, plan, now) => {
    expect(why(plan, now([before]))).toBeUndefined()
  })

  test.each(ways)('is torn when somebody merged it, for that writes into a base: %s', (_way, plan, now) => {
    expect(why(plan, now([]))).toBe(merged)
    expect(why(plan, now([{ ...before, status: 'locked' }]))).toBe(merged)
  })
})

test('a VM that has no part in the run cannot be torn', () => {
  expect(why(planned(aVm('he', { hostedEngine: true })), undefined)).toBeUndefined()
  expect(why(planned(aVm('web', { status: 'migrating' })), undefined)).toBeUndefined()
})

test('a VM that came to the storage domain during the run is told as a warning', async () => {
  await using stage = await createStage([aVm('web')])
  const report = await stage.run(
    {},
    {
      onEvent(event) {
        if (event.kind === 'step began' && event.step === 'replicate') stage.engine.world.vms.push(aVm('new'))
      },
    },
  )
  expect(report.outcome).toBe('protected')
  expect(report.warnings).toEqual([
    'VM new came to the storage domain during the run: it is not part of this recovery point',
  ])
})
