import { appendFileSync } from 'node:fs'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { Cancelled } from '../../src/model/errors.ts'
import { vdsmLayout } from '../../src/ovirt/vdsm-layout.ts'
import { domain } from '../support/memory-hypervisor.ts'
import { createStage } from '../support/stage.ts'
import { aDisk, aVm } from '../support/vms.ts'

const goodRun = [
  'preflight',
  'update OVF store',
  'snapshot',
  'withdraw earlier points',
  'replicate',
  'look again',
  'compare',
  'merge',
  'prove',
  'write manifest',
]

/** What every ended run must leave, whatever happened to it. */
async function expectClean(stage: Awaited<ReturnType<typeof createStage>>): Promise<void> {
  expect(stage.owed()).toEqual([])
  const rows = stage.engine.world.vms.flatMap((vm) => vm.snapshots.filter((row) => row.kind === 'regular'))
  expect(rows).toEqual([])
  expect(stage.engine.world.jobs.filter((job) => job.state === 'running')).toEqual([])
  const session = await stage.replicated.replication.session(AbortSignal.timeout(1000))
  expect(['created', 'stopped']).toContain(session.state)
  const overlays = (await stage.files('secondaryDir')).filter((file) => !isOfVm(stage, file))
  expect(overlays).toEqual([])
}

function isOfVm(stage: Awaited<ReturnType<typeof createStage>>, file: string): boolean {
  const bases = stage.engine.world.vms.flatMap((vm) => vm.disks.map((disk) => disk.volume ?? '-'))
  return bases.some((base) => file.includes(base))
}

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

  test('leaves no snapshot when the answer to its request was lost', async () => {
    await using stage = await createStage()
    stage.engine.faults.snapshot['web'] = 'answer lost'
    const report = await stage.run()
    expect(report.vms).toMatchObject([{ state: 'protected' }, { name: 'web', state: 'failed' }])
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
