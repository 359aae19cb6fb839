import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { vdsmLayout } from '../../src/ovirt/vdsm-layout.ts'
import { domain } from '../support/memory-hypervisor.ts'
import { createStage } from '../support/stage.ts'
import { aDisk, aVm } from '../support/vms.ts'

test('a VM whose merge fails for good is failed with the reason that the engine gave', async () => {
  await using stage = await createStage()
  stage.engine.faults.merges['db'] = 3
  const report = await stage.run()
  expect(report.vms).toMatchObject([
    { name: 'db', why: 'its snapshot is not merged: 3 merges failed; the last: told by the fake' },
    { name: 'web', state: 'protected' },
  ])
})

test('a VM whose image cannot be cleaned is failed with the image named, and the next run cleans it', async () => {
  await using stage = await createStage()
  const { id, volume = '' } = aDisk('db-disk1')
  const meta = join(stage.replicated.secondaryDir, vdsmLayout.descriptionOf(domain.id, id, volume))
  const report = await stage.run(
    {},
    {
      onEvent(event) {
        if (event.kind === 'step began' && event.step === 'merge') writeFileSync(meta, 'nonsense')
      },
    },
  )
  expect(report.vms).toMatchObject([
    { name: 'db', state: 'failed', why: expect.stringContaining(`cannot clean image ${id}`) },
    { name: 'web', state: 'failed', why: expect.stringContaining('keeps an engine from importing') },
  ])
  expect(report.leftOpen).toMatchObject([{ what: 'removal of 1 overlay(s) of VM db on the secondary' }])
  expect((await stage.run()).outcome).toBe('protected')
})

test('the secondary is cleaned VM by VM as each merge ends, not after the last one', async () => {
  await using stage = await createStage([aVm('fast'), aVm('slow')])
  stage.engine.faults.merges['slow'] = 2
  const fast = aDisk('fast-disk1')
  let overlay = ''
  let goneWhileOtherMerged = false
  await stage.run(
    {},
    {
      onEvent(event) {
        if (event.kind === 'step began' && event.step === 'merge') {
          overlay = stage.engine.world.vms.find(({ name }) => name === 'fast')?.disks[0]?.volume ?? ''
        }
        if (event.kind !== 'vm' || event.vm.name !== 'slow' || event.did !== 'merged') return
        const { data } = vdsmLayout.filesOf(domain.id, fast.id, overlay)
        goneWhileOtherMerged = !existsSync(join(stage.replicated.secondaryDir, data))
      },
    },
  )
  expect(goneWhileOtherMerged).toBe(true)
})

test('of each snapshot and merge it is told how often the engine was asked, and how long that took', async () => {
  await using stage = await createStage([aVm('web')])
  stage.engine.faults.merges['web'] = 2
  stage.engine.faults.looks = 3
  await stage.run()
  expect(askedOf(stage)).toEqual([
    ['snapshot taken', 'snapshot', 1, true],
    ['merged', 'merge', 3, true],
  ])
})

test('a snapshot that never came to be is no merge that was asked for', async () => {
  await using stage = await createStage([aVm('web'), aVm('db')])
  stage.engine.faults.snapshot['web'] = 'request lost'
  await stage.run()
  const ofWeb = askedOf(stage, 'web')
  expect(ofWeb).toContainEqual([expect.any(String), 'snapshot', 2, true])
  expect(ofWeb).toContainEqual(['merged', undefined, undefined, false])
})

/** What the events of snapshots and merges tell of the asking. */
function askedOf({ events }: Awaited<ReturnType<typeof createStage>>, name = 'web') {
  return events.flatMap((event) => {
    if (event.kind !== 'vm' || event.vm.name !== name || event.did === 'same at both ends') return []
    const { did, asked } = event
    return [[did, asked?.act, asked?.times, (asked?.ms ?? 0) > 0]]
  })
}
