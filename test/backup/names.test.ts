import { expect, test } from 'vitest'
import {
  isOurSnapshot,
  jobDescription,
  newTag,
  snapshotDescription,
  tagPrefix,
} from '../../src/backup/names.ts'
import { createStage } from '../support/stage.ts'
import { aVm } from '../support/vms.ts'
import { aRun } from './a-run.ts'

const run = aRun()

test('tags are what the engine takes as a correlation id, with room for its retries, and never the same', () => {
  const tags = Array.from({ length: 20_000 }, () => newTag(run))
  expect(new Set(tags).size).toBe(tags.length)
  expect(tags.filter((tag) => !/^[A-Za-z0-9-]{1,46}$/.test(tag))).toEqual([])
  expect(tags.filter((tag) => !tag.startsWith(tagPrefix(run.id)))).toEqual([])
})

test('no tag of a run begins with the prefix of another run', () => {
  const other = aRun({ id: '20261121T000000Z-00000001' })
  expect(newTag(other).startsWith(tagPrefix(run.id))).toBe(false)
})

test('the id of a real run fits into all of them', async () => {
  await using stage = await createStage([aVm('web')])
  const { run: id } = await stage.run()
  expect(newTag(aRun({ id })).length).toBeLessThanOrEqual(46)
  expect(isOurSnapshot(snapshotDescription(id))).toBe(true)
})

test.each([
  'vmbackup 20261121T000000Z-0000000',
  'vmbackup 20261121T000000Z-00000000 ',
  'before vmbackup 20261121T000000Z-00000000',
  'vmbackup of last night',
  'vmbackup',
  '',
])('a snapshot called %j is somebody else’s', (description) => {
  expect(isOurSnapshot(description)).toBe(false)
})

test('the job in the Tasks pane names run and volume', () => {
  expect(jobDescription('id', 'data')).toBe('vmbackup id: recovery point of volume data')
})
