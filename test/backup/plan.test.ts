import { describe, expect, test } from 'vitest'
import { planBackup, snapshotsOf, type VmPlan } from '../../src/backup/plan.ts'
import type { Disk, Snapshot, Vm, VmStatus } from '../../src/model/vm.ts'
import { domain } from '../support/memory-hypervisor.ts'
import { seenEngine } from '../support/stage.ts'
import { aDisk, aSnapshot, aVm, uuidOf } from '../support/vms.ts'

function planOf(vm: Vm): VmPlan {
  let ids = 0
  const [plan] = planBackup(domain, [vm], () => uuidOf(`new ${ids++}`), seenEngine).vms
  if (plan === undefined) throw new Error('a VM has no plan')
  return plan
}

const snapshot = (change: Partial<Snapshot>) =>
  aSnapshot({ id: uuidOf('snapshot'), description: 'before the upgrade', ...change })

const { volume: _, ...withoutVolume } = aDisk('odd')

describe('a disk', () => {
  test.each<[string, Disk]>([
    ['direct LUN: it does not lie on the volume', aDisk('odd', { kind: 'lun', domains: [] })],
    ['not an image disk: it does not lie on the volume', aDisk('odd', { kind: 'other', domains: [] })],
    ['lies on another storage domain', aDisk('odd', { domains: ['elsewhere'] })],
    ['shareable: the engine takes no snapshot of it', aDisk('odd', { shareable: true })],
    ['unplugged: its snapshot could not be merged live', aDisk('odd', { plugged: false })],
    ['the engine names no volume of it', withoutVolume],
  ])('is left out, and the VM goes on without it: %s', (why, odd) => {
    const plan = planOf(aVm('web', { disks: [aDisk('good'), odd] }))
    expect(plan.way).toBe('snapshot')
    expect(plan.disks).toEqual([
      { id: uuidOf('image good'), name: 'good', sizeBytes: 1_048_576, volume: uuidOf('volume good') },
      { id: uuidOf('image odd'), name: 'odd', sizeBytes: 1_048_576, leftOut: why },
    ])
    expect(plan).toMatchObject({ overlays: [{ image: uuidOf('image good') }] })
  })

  test.each(['locked', 'illegal'] as const)('that is %s fails its VM', (status) => {
    const plan = planOf(aVm('web', { disks: [aDisk('good'), aDisk('odd', { status })] }))
    expect(plan).toMatchObject({ way: 'refused', why: `disk odd is ${status}` })
    expect(plan).not.toHaveProperty('overlays')
  })

  test('that is locked on another storage domain does not matter', () => {
    const disks = [aDisk('good'), aDisk('odd', { status: 'locked', domains: ['elsewhere'] })]
    expect(planOf(aVm('web', { disks })).way).toBe('snapshot')
  })

  test('on two storage domains, one of them ours, takes part', () => {
    const disks = [aDisk('good', { domains: ['elsewhere', domain.id] })]
    expect(planOf(aVm('web', { disks })).disks).toMatchObject([{ volume: uuidOf('volume good') }])
  })
})

describe('a VM', () => {
  test.each<VmStatus>(['up', 'paused', 'powering_up', 'reboot_in_progress'])(
    'that is %s gets a snapshot',
    (status) => {
      expect(planOf(aVm('web', { status })).way).toBe('snapshot')
    },
  )

  test('that is down is copied as it is, without overlays', () => {
    const plan = planOf(aVm('web', { status: 'down' }))
    expect(plan.way).toBe('offline')
    expect(plan).not.toHaveProperty('overlays')
  })

  test.each<VmStatus>([
    'powering_down',
    'migrating',
    'suspended',
    'image_locked',
    'not_responding',
    'saving_state',
    'restoring_state',
    'wait_for_launch',
    'unassigned',
    'unknown',
  ])('that is %s fails, and its state is said in words', (status) => {
    expect(planOf(aVm('web', { status }))).toMatchObject({
      way: 'refused',
      why: `the VM is ${status.replaceAll('_', ' ')}: the engine takes no snapshot in this state`,
    })
  })

  test('that is the hosted engine is left out with all its disks, whatever its state', () => {
    const plan = planOf(aVm('HostedEngine', { hostedEngine: true, status: 'unknown' }))
    const why = 'hosted engine: the engine takes no snapshot of the VM it runs in'
    expect(plan).toMatchObject({ way: 'left out', why, disks: [{ leftOut: why }] })
    expect(plan.disks[0]).not.toHaveProperty('volume')
  })

  test('with a snapshot in preview fails', () => {
    const vm = aVm('web', { snapshots: [snapshot({ status: 'in_preview' })] })
    expect(planOf(vm)).toMatchObject({
      way: 'refused',
      why: 'snapshot "before the upgrade" is in preview: commit or undo it',
    })
  })

  test('that is down with a snapshot in preview fails, too', () => {
    const vm = aVm('web', {
      status: 'down',
      snapshots: [snapshot({ kind: 'preview', status: 'in_preview' })],
    })
    expect(planOf(vm).way).toBe('refused')
  })

  test('with a locked snapshot fails', () => {
    const vm = aVm('web', { snapshots: [snapshot({ status: 'locked' })] })
    expect(planOf(vm)).toMatchObject({
      way: 'refused',
      why: 'snapshot "before the upgrade" is locked by another operation',
    })
  })

  test('with an old snapshot that is ok takes part', () => {
    expect(planOf(aVm('web', { snapshots: [snapshot({})] })).way).toBe('snapshot')
  })

  test('none of whose disks can take part is left out', () => {
    const plan = planOf(aVm('web', { disks: [aDisk('lun', { kind: 'lun' })], status: 'migrating' }))
    expect(plan).toMatchObject({ way: 'left out', why: 'none of its disks can take part' })
  })

  test('with a guest agent is not claimed to be frozen as long as nobody confirms it', () => {
    const plan = planOf(aVm('web', { guestAgent: true }))
    expect(plan).toMatchObject({ guestAgent: true })
  })
})

describe('a plan', () => {
  test('gives every disk that is frozen one overlay with an id of its own over its active volume', () => {
    const vms = [aVm('b', { disks: [aDisk('b1'), aDisk('b2')] }), aVm('a', { disks: [aDisk('a1')] })]
    let ids = 0
    const plan = planBackup(domain, vms, () => `id-${ids++}`, seenEngine)
    const overlays = snapshotsOf(plan).flatMap((vm) => vm.overlays)
    expect(overlays).toEqual([
      { image: uuidOf('image a1'), base: uuidOf('volume a1'), overlay: 'id-0' },
      { image: uuidOf('image b1'), base: uuidOf('volume b1'), overlay: 'id-1' },
      { image: uuidOf('image b2'), base: uuidOf('volume b2'), overlay: 'id-2' },
    ])
  })

  test('lists all VMs by name, however many', () => {
    const names = Array.from({ length: 300 }, (_, index) => `vm-${String(index).padStart(3, '0')}`)
    const plan = planBackup(
      domain,
      names.toReversed().map((name) => aVm(name)),
      () => 'id',
      seenEngine,
    )
    expect(plan.vms.map(({ name }) => name)).toEqual(names)
  })

  test('is the same as plain data', () => {
    const plan = planBackup(domain, [aVm('web'), aVm('spare', { status: 'down' })], () => 'id', seenEngine)
    expect(JSON.parse(JSON.stringify(plan))).toEqual(plan)
  })
})
