import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { Cancelled } from '../../src/model/errors.ts'
import { vdsmLayout } from '../../src/ovirt/vdsm-layout.ts'
import { domain } from '../support/memory-hypervisor.ts'
import { createStage } from '../support/stage.ts'
import { aDisk, aVm } from '../support/vms.ts'
import { expectClean, goodRun } from './clean-end.ts'

describe('a good run', () => {
  test('goes through its steps in this order and protects every VM', async () => {
    await using stage = await createStage()
    const report = await stage.run()
    expect(report.error).toBeUndefined()
    expect(report.outcome).toBe('protected')
    expect(stage.steps()).toEqual(goodRun)
    expect(report.vms.map((vm) => [vm.name, vm.state])).toEqual([
      ['db', 'protected'],
      ['web', 'protected'],
    ])
  })

  test('leaves base volumes, marked as tops, and nothing else on the secondary', async () => {
    await using stage = await createStage()
    await stage.run()
    await expectClean(stage)
    for (const vm of stage.engine.world.vms) {
      for (const disk of vm.disks) {
        const meta = vdsmLayout.descriptionOf(domain.id, disk.id, disk.volume ?? '')
        expect(await readFile(join(stage.replicated.secondaryDir, meta), 'utf8')).toContain('VOLTYPE=LEAF')
      }
    }
  })

  test('posts exactly one normal event that counts the VMs', async () => {
    await using stage = await createStage()
    await stage.run()
    expect(stage.engine.world.announced).toMatchObject([{ severity: 'normal', domain: { id: domain.id } }])
    expect(stage.engine.world.announced[0]?.text).toContain('2 of 2 VMs protected')
  })

  test('shows its steps in the Tasks pane and ends the job', async () => {
    await using stage = await createStage()
    await stage.run()
    expect(stage.engine.world.steps.map(({ step, succeeded }) => [step, succeeded])).toEqual(
      goodRun.slice(1).map((step) => [step, true]),
    )
  })

  test('can be repeated at once', async () => {
    await using stage = await createStage()
    await stage.run()
    const second = await stage.run()
    expect(second.outcome).toBe('protected')
    await expectClean(stage)
  })

  test('copies a VM that is down as it is', async () => {
    await using stage = await createStage([aVm('web'), aVm('spare', { status: 'down' })])
    const report = await stage.run()
    expect(report.vms).toMatchObject([
      { name: 'spare', state: 'protected', consistency: 'offline' },
      { name: 'web', state: 'protected', consistency: 'crash' },
    ])
    expect(stage.engine.world.acts).not.toContain('snapshot spare')
  })

  test('lists what cannot take part by its nature and stays protected', async () => {
    const disks = [aDisk('good'), aDisk('lun', { kind: 'lun' }), aDisk('shared', { shareable: true })]
    await using stage = await createStage([aVm('mixed', { disks }), aVm('he', { hostedEngine: true })])
    const report = await stage.run()
    expect(report.outcome).toBe('protected')
    expect(report.vms).toMatchObject([
      { name: 'he', state: 'left out' },
      {
        name: 'mixed',
        state: 'protected',
        disks: [{ state: 'protected' }, { state: 'left out' }, { state: 'left out' }],
      },
    ])
  })
})

describe('a run that fails', () => {
  test('stops the session and merges everything when replication takes too long', async () => {
    await using stage = await createStage()
    stage.replicated.faults.stalledStarts = 1_000
    const report = await stage.run({ replicationMs: 300_000 })
    expect(report.outcome).toBe('failed')
    expect(report.error?.message).toContain('replication checkpoint')
    expect(stage.engine.world.announced).toMatchObject([{ severity: 'alert' }])
    await expectClean(stage)
  })

  test('answers a checkpoint without progress by stop and start', async () => {
    await using stage = await createStage()
    stage.replicated.faults.stalledStarts = 1
    const report = await stage.run()
    expect(report.outcome).toBe('protected')
  })

  test('starts a session again whose first start did nothing', async () => {
    await using stage = await createStage()
    stage.replicated.faults.emptyStarts = 1
    const report = await stage.run()
    expect(report.outcome).toBe('protected')
  })

  test('is refused before anything is touched when preflight finds errors, and tells the engine', async () => {
    await using stage = await createStage()
    stage.replicated.faults.findings = [
      { severity: 'error', subject: 'session', what: 'it does not exist', hint: 'create it' },
      { severity: 'error', subject: 'clock', what: 'it is wrong', hint: 'set it' },
    ]
    const report = await stage.run()
    expect(report.outcome).toBe('refused')
    expect(report.error?.message).toContain('it does not exist')
    expect(report.error?.message).toContain('it is wrong')
    expect(stage.engine.world.acts).toEqual([])
    expect(stage.engine.world.announced).toMatchObject([{ severity: 'alert' }])
    await expectClean(stage)
  })

  test('owes its closing event to the next run when the engine cannot take it', async () => {
    await using stage = await createStage()
    stage.engine.faults.failing.announce = 'the engine is away'
    const report = await stage.run()
    expect(report.leftOpen).toMatchObject([{ what: 'closing event on the engine' }])
    expect(stage.owed()).toEqual(['event'])
    stage.engine.faults.failing = {}
    await stage.run()
    expect(stage.engine.world.announced).toHaveLength(2)
    await expectClean(stage)
  })
})

describe('a cancelled run', () => {
  for (const step of goodRun) {
    test(`settles everything and tells the engine when it is cancelled in "${step}"`, async () => {
      await using stage = await createStage()
      const controller = new AbortController()
      const report = await stage.run(
        {},
        {
          signal: controller.signal,
          onEvent(event) {
            if (event.kind === 'step began' && event.step === step) controller.abort(new Cancelled('SIGTERM'))
          },
        },
      )
      expect(report.outcome).toBe('cancelled')
      expect(stage.engine.world.announced).toMatchObject([{ severity: 'alert' }])
      expect(stage.engine.world.announced[0]?.text).toContain('SIGTERM')
      await expectClean(stage)
    })
  }
})

describe('what is on the secondary', () => {
  test('a file that nobody recorded is never removed, whatever its name', async () => {
    await using stage = await createStage()
    const [disk] = stage.engine.world.vms[0]?.disks ?? []
    const stray = `${vdsmLayout.directoryOf(domain.id, disk?.id ?? '')}/${disk?.volume}.keep`
    await writeFile(join(stage.replicated.primaryDir, stray), 'mine')
    await stage.run()
    expect(await readFile(join(stage.replicated.secondaryDir, stray), 'utf8')).toBe('mine')
    await rm(join(stage.replicated.primaryDir, stray))
  })
})
