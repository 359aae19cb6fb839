import { describe, expect, test } from 'vitest'
import type { BackupOptions } from '../../src/backup/options.ts'
import { everything } from '../../src/backup/select.ts'
import { createStage } from '../support/stage.ts'
import { aDisk, aVm } from '../support/vms.ts'
import { expectClean } from './clean-end.ts'

const { signal } = new AbortController()

function selecting(change: Partial<NonNullable<BackupOptions['selection']>>): Partial<BackupOptions> {
  return { selection: { ...everything, policies: [], job: 'nightly', ...change } }
}

const web = () => aVm('web', { disks: [aDisk('system'), aDisk('scratch')] })

describe('a run with a selection', () => {
  test('snapshots and claims who is selected, leaves the others alone, and is protected', async () => {
    await using stage = await createStage([web(), aVm('db')])
    const report = await stage.run(selecting({ include: [{ by: 'name', pattern: 'w*' }] }))
    expect(report.outcome).toBe('protected')
    expect(report.vms).toMatchObject([
      { name: 'db', state: 'left out', why: 'not selected by job nightly', disks: [{ state: 'left out' }] },
      { name: 'web', state: 'protected', disks: [{ state: 'protected' }, { state: 'protected' }] },
    ])
    expect(stage.engine.world.acts.filter((act) => act.endsWith(' db'))).toEqual([])
    await expectClean(stage)
  })

  test('sends the disks of who is not selected all the same, as geo-replication sends whole volumes', async () => {
    await using stage = await createStage([web(), aVm('db')])
    await stage.run(selecting({ include: [{ by: 'name', pattern: 'w*' }] }))
    const [disk] = aVm('db').disks
    expect(await stage.files('secondaryDir')).toContainEqual(expect.stringContaining(disk?.volume ?? 'none'))
  })

  test('takes no snapshot of an excluded disk and does not claim it', async () => {
    await using stage = await createStage([web()])
    const report = await stage.run(selecting({ excludeDisks: ['web/scr*'] }))
    expect(report.outcome).toBe('protected')
    expect(report.vms).toMatchObject([
      {
        state: 'protected',
        disks: [
          { name: 'system', state: 'protected' },
          { name: 'scratch', state: 'left out', why: 'excluded by exclude_disks web/scr*' },
        ],
      },
    ])
    await expectClean(stage)
  })

  test('leaves a VM out whose every disk is excluded', async () => {
    await using stage = await createStage([web(), aVm('db')])
    const report = await stage.run(selecting({ excludeDisks: ['web/*'] }))
    expect(report.outcome).toBe('protected')
    expect(report.vms[1]).toMatchObject({
      name: 'web',
      state: 'left out',
      why: 'none of its disks can take part',
    })
  })

  test('does not mind an illegal disk that is excluded, nor one of a VM that is not selected', async () => {
    const broken = { status: 'illegal' } as const
    const db = aVm('db', { disks: [aDisk('lost', broken)] })
    await using stage = await createStage([
      aVm('web', { disks: [aDisk('system'), aDisk('scratch', broken)] }),
      db,
    ])
    const only = { include: [{ by: 'name', pattern: 'web' } as const] }
    const whole = await stage.run(selecting(only))
    expect(whole.vms).toMatchObject([
      { state: 'left out' },
      { state: 'failed', why: 'disk scratch is illegal' },
    ])
    const report = await stage.run(selecting({ ...only, excludeDisks: ['scratch'] }))
    expect(report.vms).toMatchObject([{ state: 'left out' }, { state: 'protected' }])
  })

  test('of nobody is refused before anything is touched, with what is to be done', async () => {
    await using stage = await createStage([web(), aVm('db')])
    const report = await stage.run(selecting({ include: [{ by: 'tag', tag: 'gold' }] }))
    expect(report.outcome).toBe('refused')
    expect(report.error).toMatchObject({
      message: expect.stringContaining(
        'none of its 2 VMs is protected by job nightly: not selected by job nightly',
      ),
      hint: expect.stringContaining('select, exclude and exclude_disks of [job nightly]'),
    })
    expect(stage.engine.world.acts).toEqual([])
  })

  test('by an expression that takes for ever is refused, and says which', async () => {
    await using stage = await createStage([aVm(`${'a'.repeat(200)}!`)])
    const report = await stage.run(selecting({ include: [{ by: 'regex', pattern: '^(a+)+$' }] }))
    expect(report.outcome).toBe('refused')
    expect(report.error?.message).toContain('takes too long on the name')
  })
})

describe('a run without a selection', () => {
  test('keeps a VM out that has the tag for that', async () => {
    await using stage = await createStage([web(), aVm('db')])
    await stage.engine.hypervisor.tag(aVm('db'), 'vmbackup-none', signal)
    const report = await stage.run()
    expect(report.outcome).toBe('protected')
    expect(report.vms).toMatchObject([
      { name: 'db', state: 'left out', why: 'kept out by tag vmbackup-none' },
      { name: 'web', state: 'protected' },
    ])
  })
})
