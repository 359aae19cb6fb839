import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { vdsmLayout } from '../../src/ovirt/vdsm-layout.ts'
import { domain } from '../support/memory-hypervisor.ts'
import { createStage } from '../support/stage.ts'
import { aVm } from '../support/vms.ts'
import { expectClean, goodRun } from './clean-end.ts'

describe('one VM that fails', () => {
  for (const fault of ['refused', 'job fails', 'doubtful'] as const) {
    test(`is named, and the others are protected, when its snapshot is "${fault}"`, async () => {
      await using stage = await createStage()
      stage.engine.faults.snapshot['web'] = fault
      const report = await stage.run()
      expect(report.outcome).toBe('partly protected')
      expect(report.vms.map((vm) => [vm.name, vm.state])).toEqual([
        ['db', 'protected'],
        ['web', 'failed'],
      ])
      expect(stage.engine.world.announced).toMatchObject([{ severity: 'warning' }])
      expect(stage.engine.world.announced[0]?.text).toContain('web')
      await expectClean(stage)
    })
  }

  test('is protected all the same when only the answer to its snapshot request was lost', async () => {
    await using stage = await createStage()
    stage.engine.faults.snapshot['web'] = 'answer lost'
    const report = await stage.run()
    expect(report.outcome).toBe('protected')
    await expectClean(stage)
  })

  test('is protected when its snapshot request was lost on the way once: it is asked for again', async () => {
    await using stage = await createStage()
    stage.engine.faults.snapshot['web'] = 'request lost'
    const report = await stage.run(
      {},
      {
        onEvent(event) {
          if (event.kind === 'waiting') delete stage.engine.faults.snapshot['web']
        },
      },
    )
    expect(report.outcome).toBe('protected')
    await expectClean(stage)
  })

  test('leaves nothing when its snapshot requests are lost on the way', async () => {
    await using stage = await createStage()
    stage.engine.faults.snapshot['web'] = 'request lost'
    const report = await stage.run()
    expect(report.vms).toMatchObject([
      { state: 'protected' },
      { name: 'web', state: 'failed', why: 'the connection broke: nobody knows' },
    ])
    await expectClean(stage)
  })

  test('is owed to the next start when its snapshot never ends', async () => {
    await using stage = await createStage()
    stage.engine.faults.snapshot['web'] = 'never ends'
    const report = await stage.run()
    expect(report.vms).toMatchObject([{ state: 'protected' }, { name: 'web', state: 'failed' }])
    expect(stage.owed()).toEqual(['snapshot', 'overlays'])
  })

  test('is merged in the end when its merge fails once', async () => {
    await using stage = await createStage()
    stage.engine.faults.merges['db'] = 1
    const report = await stage.run()
    expect(report.outcome).toBe('protected')
    await expectClean(stage)
  })

  test('keeps its overlay on the secondary while its merge fails, and the next run settles both', async () => {
    await using stage = await createStage()
    stage.engine.faults.merges['db'] = 3
    const report = await stage.run()
    expect(report.vms).toMatchObject([
      { name: 'db', state: 'failed' },
      { name: 'web', state: 'protected' },
    ])
    expect(report.leftOpen.map(({ what }) => what).join()).toContain('merge of snapshot')
    expect(stage.owed().sort()).toEqual(['overlays', 'snapshot'])

    const next = await stage.run()
    expect(next.outcome).toBe('protected')
    expect(stage.steps()[goodRun.length]).toBe('settle earlier runs')
    await expectClean(stage)
  })

  test('is failed when a file arrives without its content although the checkpoint was reached', async () => {
    await using stage = await createStage()
    const [disk] = stage.engine.world.vms.find((vm) => vm.name === 'db')?.disks ?? []
    stage.replicated.faults.lost = [vdsmLayout.filesOf(domain.id, disk?.id ?? '', disk?.volume ?? '').data]
    const report = await stage.run()
    expect(report.vms).toMatchObject([
      { name: 'db', state: 'failed', why: expect.stringContaining('0 on the secondary') },
      { name: 'web', state: 'protected' },
    ])
  })

  test('is failed as torn when it was down and started during the run', async () => {
    await using stage = await createStage([aVm('web'), aVm('spare', { status: 'down' })])
    const report = await stage.run(
      {},
      {
        onEvent(event) {
          const spare = stage.engine.world.vms.find((vm) => vm.name === 'spare')
          if (event.kind === 'step began' && event.step === 'replicate' && spare) spare.status = 'up'
        },
      },
    )
    expect(report.vms).toMatchObject([
      { name: 'spare', state: 'failed', why: expect.stringContaining('torn') },
      { name: 'web', state: 'protected' },
    ])
  })
})

test('a VM that was down at both looks and wrote in between is failed as torn', async () => {
  await using stage = await createStage([aVm('web'), aVm('spare', { status: 'down' })])
  const [disk] = stage.engine.world.vms.find((vm) => vm.name === 'spare')?.disks ?? []
  const { data } = vdsmLayout.filesOf(domain.id, disk?.id ?? '', disk?.volume ?? '')
  const report = await stage.run(
    {},
    {
      onEvent(event) {
        const file = join(stage.replicated.primaryDir, data)
        if (event.kind === 'step began' && event.step === 'replicate') appendFileSync(file, 'x')
      },
    },
  )
  expect(report.vms).toMatchObject([
    {
      name: 'spare',
      state: 'failed',
      why: expect.stringContaining('of disk spare-disk1 was written although the VM is down'),
    },
    { name: 'web', state: 'protected' },
  ])
})
