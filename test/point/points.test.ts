import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { RecoveryPoint } from '../../src/point/manifest.ts'
import { listPoints, pointsDir, prunePoints, writePoint } from '../../src/point/points.ts'
import { summaryOf } from '../../src/point/summary.ts'
import { aFolder } from '../run/a-folder.ts'
import { aPoint as aPlainPoint, aPointVm } from './a-point.ts'

/** A point whose start is that of its run's name. */
function aPoint(change: Partial<RecoveryPoint> = {}): RecoveryPoint {
  const hour = /T(\d\d)/.exec(change.run ?? '')?.[1] ?? '01'
  return aPlainPoint({ startedAt: `2026-11-21T${hour}:00:00.000Z`, ...change })
}

const runOf = (hour: number): string => `20261121T${String(hour).padStart(2, '0')}0000Z-00000001`

test('a volume without manifests has no points', async () => {
  expect(await listPoints(aFolder())).toEqual([])
})

test('points are listed newest first, and only manifests', async () => {
  const root = aFolder()
  await writePoint(root, aPoint({ run: runOf(1) }))
  await writePoint(root, aPoint({ run: runOf(2) }))
  await writeFile(join(root, pointsDir, 'notes.txt'), 'x')
  expect((await listPoints(root)).map(({ run, status }) => [run, status])).toEqual([
    [runOf(2), 'ready'],
    [runOf(1), 'ready'],
  ])
})

test('a point whose images a later run began to overwrite is overwritten, whatever became of that run', async () => {
  const root = aFolder()
  await writePoint(root, aPoint({ run: runOf(1) }))
  await writePoint(root, aPoint({ run: runOf(2), state: 'unfinished', supersedes: [runOf(1)] }))
  expect(await listPoints(root)).toMatchObject([
    { run: runOf(2), status: 'unfinished' },
    { run: runOf(1), status: 'overwritten', overwrittenBy: runOf(2) },
  ])
})

test('of two runs that began in the same second, the one that superseded the other is newer', async () => {
  const root = aFolder()
  const [first, second] = ['20261121T010000Z-bbbbbbbb', '20261121T010000Z-aaaaaaaa']
  await writePoint(root, aPoint({ run: first, startedAt: '2026-11-21T01:00:00.100Z' }))
  await writePoint(root, aPoint({ run: second, startedAt: '2026-11-21T01:00:00.900Z', supersedes: [first] }))
  expect((await listPoints(root)).map(({ run, status }) => [run, status])).toEqual([
    [second, 'ready'],
    [first, 'overwritten'],
  ])
})

test('a finished manifest takes the place of the mark of its run', async () => {
  const root = aFolder()
  await writePoint(root, aPoint({ state: 'unfinished' }))
  await writePoint(root, aPoint())
  expect(await listPoints(root)).toMatchObject([{ status: 'ready' }])
  expect(await readdir(join(root, pointsDir))).toEqual([`${aPoint().run}.json`])
})

test('what is older than a manifest that cannot be read is not trusted: nobody knows what that run overwrote', async () => {
  const root = aFolder()
  await writePoint(root, aPoint({ run: runOf(1) }))
  await writePoint(root, aPoint({ run: runOf(3) }))
  await writeFile(join(root, pointsDir, `${runOf(2)}.json`), '{')
  expect((await listPoints(root)).map(({ run, status }) => [run, status])).toEqual([
    [runOf(3), 'ready'],
    [runOf(2), 'unreadable'],
    [runOf(1), 'overwritten'],
  ])
})

test('a draft of a killed run is no point, and goes with the next pruning', async () => {
  const root = aFolder()
  await writePoint(root, aPoint())
  const text = await readFile(join(root, pointsDir, `${aPoint().run}.json`))
  await writeFile(join(root, pointsDir, `${runOf(9)}.json.new`), text)
  expect(await listPoints(root)).toHaveLength(1)
  await prunePoints(root, 20)
  expect(await readdir(join(root, pointsDir))).toEqual([`${aPoint().run}.json`])
})

test('pruning takes the oldest manifests of overwritten points only', async () => {
  const root = aFolder()
  await writePoint(root, aPoint({ run: runOf(0) }))
  for (let hour = 1; hour <= 4; hour += 1) {
    await writePoint(root, aPoint({ run: runOf(hour), supersedes: hour === 1 ? [] : [runOf(hour - 1)] }))
  }
  await prunePoints(root, 2)
  // Nothing has overwritten the first one: a manifest that may be true stays.
  expect((await listPoints(root)).map(({ run }) => run)).toEqual([runOf(4), runOf(3), runOf(0)])
})

test('where manifests cannot be written, the failure says where and what to look at', async () => {
  const root = aFolder()
  await writeFile(join(root, 'vmbackup'), 'in the way')
  await expect(writePoint(root, aPoint())).rejects.toMatchObject({
    message: expect.stringContaining(`${aPoint().run}.json`),
    hint: expect.stringContaining('full'),
  })
})

test('the age of a point is that of its oldest state', async () => {
  const root = aFolder()
  const asOf = { earliest: '2026-11-21T00:30:00.000Z', latest: '2026-11-21T00:31:00.000Z' }
  const vms = [
    aPointVm(),
    aPointVm({ asOf }),
    aPointVm({ state: 'failed', why: 'torn', asOf: undefined, disks: [] }),
  ]
  await writePoint(root, aPoint({ vms }))
  const [found] = await listPoints(root)
  if (found === undefined) throw new Error('no point')
  expect(summaryOf(found, new Date('2026-11-21T02:30:00Z'))).toMatchObject({
    status: 'ready',
    ageMs: 2 * 3_600_000,
    protected: 2,
    failed: 1,
    leftOut: 0,
    comparison: 'full',
  })
})
