import { expect, test } from 'vitest'
import { shortage } from '../../src/backup/space-guard.ts'
import { createStage } from '../support/stage.ts'
import { litter } from './disturbed.ts'

const options = { minFree: { percent: 5 }, intervalMs: 20 }

test('a run on a volume that is short of space is refused, and nothing is touched', async () => {
  await using stage = await createStage()
  stage.replicated.faults.freeBytes = 2 ** 40 * 0.04
  const report = await stage.run(options)
  expect(report.outcome).toBe('refused')
  expect(report.error?.message).toContain('less than [snapshot] min_free (5%)')
  expect(report.error?.hint).toContain('min_free')
  expect(stage.engine.world.acts).toEqual([])
})

test('a run that space runs out on gives replication up, merges its snapshots and says so', async () => {
  await using stage = await createStage()
  stage.replicated.faults.slowLooks = 1_000_000
  const report = await stage.run(
    { ...options, replicationMs: 1e9 },
    {
      onEvent(event) {
        if (event.kind === 'step began' && event.step === 'replicate')
          stage.replicated.faults.freeBytes = 1000
      },
    },
  )
  expect(report.outcome).toBe('failed')
  expect(report.error?.message).toContain(
    '1000 of 1099511627776 bytes are free, less than [snapshot] min_free (5%) on the primary volume: the run is given up',
  )
  expect(report.leftOpen).toEqual([])
  expect(await litter(stage)).toEqual([])
  expect(stage.engine.world.announced.at(-1)).toMatchObject({
    severity: 'alert',
    text: expect.stringContaining('min_free'),
  })
})

test('space that runs short while snapshots are merged stops no merge', async () => {
  await using stage = await createStage()
  const report = await stage.run(options, {
    onEvent(event) {
      if (event.kind === 'step began' && event.step === 'merge') stage.replicated.faults.freeBytes = 1000
    },
  })
  expect(report.outcome).toBe('protected')
})

test('room is enough at the margin, and not one byte below it', () => {
  const space = (freeBytes: number) => ({ freeBytes, sizeBytes: 1000 })
  expect(shortage(space(50), { percent: 5 })).toBeUndefined()
  expect(shortage(space(49), { percent: 5 })).toBe(
    '49 of 1000 bytes are free, less than [snapshot] min_free (5%)',
  )
  expect(shortage(space(20), { bytes: 20 })).toBeUndefined()
  expect(shortage(space(19), { bytes: 20 })).toContain('(20 bytes)')
  expect(shortage(space(0), { bytes: 0 })).toBeUndefined()
})
