import { renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { vdsmLayout } from '../../src/ovirt/vdsm-layout.ts'
import { placesIn } from '../../src/point/content.ts'
import { domain } from '../support/memory-hypervisor.ts'
import { createStage } from '../support/stage.ts'
import { aDisk, aVm } from '../support/vms.ts'

const block = 65_536
const seeds = fc.string({ maxLength: 60 })
const sampleBytes = fc.integer({ min: block, max: 64 * block })
const sizes = fc.oneof(fc.integer({ min: 0, max: 300 * block }), fc.integer({ min: 0, max: 2 ** 50 }))

const samplesOf = (seed: string, bytes: number) => (size: number) =>
  [...placesIn(size, { kind: 'samples', seed, sampleBytes: bytes })].map(({ offset }) => offset)

describe('the places that are compared', () => {
  test('lie within the file, on blocks, in order, each once', () => {
    fc.assert(
      fc.property(seeds, sampleBytes, sizes, (seed, bytes, size) => {
        const places = samplesOf(seed, bytes)(size)
        expect(places.every((place) => place % block === 0 && place >= 0 && place < size)).toBe(true)
        expect(places).toEqual([...new Set(places)].sort((a, b) => a - b))
      }),
    )
  })

  test('are always the first and the last block, too', () => {
    fc.assert(
      fc.property(seeds, sampleBytes, fc.integer({ min: 1, max: 2 ** 50 }), (seed, bytes, size) => {
        const places = samplesOf(seed, bytes)(size)
        expect(places[0]).toBe(0)
        expect(places.at(-1)).toBe(Math.floor((size - 1) / block) * block)
      }),
    )
  })

  test('are no more than may be read, but for the first and the last', () => {
    fc.assert(
      fc.property(seeds, sampleBytes, sizes, (seed, bytes, size) => {
        expect(samplesOf(seed, bytes)(size).length).toBeLessThanOrEqual(Math.floor(bytes / block) + 2)
      }),
    )
  })

  test('are the whole file where that may be read', () => {
    fc.assert(
      fc.property(seeds, fc.integer({ min: 1, max: 64 }), (seed, blocks) => {
        expect(samplesOf(seed, 64 * block)(blocks * block)).toHaveLength(blocks)
      }),
    )
  })

  test('leave no gap of more than two stretches', () => {
    fc.assert(
      fc.property(seeds, sampleBytes, fc.integer({ min: 1, max: 2 ** 40 }), (seed, bytes, size) => {
        const places = samplesOf(seed, bytes)(size)
        const stretch = Math.ceil(size / block / Math.floor(bytes / block)) * block
        const gaps = places.slice(1).map((place, index) => place - (places[index] ?? 0))
        expect(Math.max(0, ...gaps)).toBeLessThanOrEqual(2 * stretch + block)
      }),
    )
  })

  test('are decided by the seed, and differ by it', () => {
    const of = (seed: string) => samplesOf(seed, 64 * block)(10_000 * block)
    expect(of('one')).toEqual(of('one'))
    expect(of('one')).not.toEqual(of('two'))
  })

  test('are none in an empty file', () => {
    expect(samplesOf('seed', block)(0)).toEqual([])
  })
})

/** A run in which the file is changed on one side between replication and comparison. */
async function comparedAfter(
  change: (stage: Awaited<ReturnType<typeof createStage>>, data: string) => void,
  options: { sampleBytes?: number; compare?: 'off' } = {},
) {
  await using stage = await createStage()
  const disk = aDisk('db-disk1')
  const { data } = vdsmLayout.filesOf(domain.id, disk.id, disk.volume ?? '')
  const report = await stage.run(options, {
    onEvent(event) {
      if (event.kind === 'step ended' && event.step === 'look again') change(stage, data)
    },
  })
  const [db, web] = report.vms
  return { db, web, report }
}

describe('what differs on the secondary, however often it is sent again, fails that VM', () => {
  test.each<[string, string, Parameters<typeof comparedAfter>[0], 'blocks import'?]>([
    [
      'one byte',
      'content differs at offset 0',
      ({ replicated }, data) => writeFileSync(join(replicated.secondaryDir, data), 'X', { flag: 'r+' }),
    ],
    [
      'a shorter file',
      '7 on the secondary',
      ({ replicated }, data) => truncateSync(join(replicated.secondaryDir, data), 7),
    ],
    [
      'a missing file',
      'cannot be read at both ends',
      ({ replicated }, data) => rmSync(join(replicated.secondaryDir, data)),
      'blocks import',
    ],
    [
      'another description',
      'its description differs on the secondary',
      ({ replicated }, data) =>
        writeFileSync(join(replicated.secondaryDir, `${data}.meta`), 'DOMAIN=x\nEOF\n'),
      'blocks import',
    ],
    [
      'a description that never came',
      'cannot be read at both ends',
      ({ replicated }, data) => rmSync(join(replicated.secondaryDir, `${data}.meta`)),
    ],
  ])('%s', async (_what, words, change, blocks) => {
    const { db, web, report } = await comparedAfter(change)
    expect(report.error).toBeUndefined()
    expect(db).toMatchObject({ name: 'db', state: 'failed', why: expect.stringContaining(words) })
    // An engine that meets one unreadable image refuses the whole domain.
    const keepsOut = { state: 'failed', why: expect.stringContaining('keeps an engine from importing') }
    expect(web).toMatchObject(blocks === undefined ? { state: 'protected' } : keepsOut)
  })
})

test('an image whose directory cannot be listed on the primary fails its VM alone', async () => {
  await using stage = await createStage()
  const dir = join(stage.replicated.primaryDir, vdsmLayout.directoryOf(domain.id, aDisk('db-disk1').id))
  const report = await stage.run(
    { healTurns: 0 },
    {
      onEvent(event) {
        if (event.kind === 'step ended' && event.step === 'look again') renameSync(dir, `${dir}.away`)
        if (event.kind === 'step ended' && event.step === 'compare') renameSync(`${dir}.away`, dir)
      },
    },
  )
  expect(report.error).toBeUndefined()
  expect(report.vms).toMatchObject([
    { name: 'db', state: 'failed', why: expect.stringContaining('cannot be read at both ends') },
    { name: 'web', state: 'protected' },
  ])
})

test('a difference in the last byte of a large image is found with the smallest sample', async () => {
  const { db } = await comparedAfter(
    ({ replicated }, data) => {
      for (const end of [replicated.primaryDir, replicated.secondaryDir]) {
        truncateSync(join(end, data), 100_000_001)
      }
      truncateSync(join(replicated.secondaryDir, data), 100_000_000)
      writeFileSync(join(replicated.secondaryDir, data), 'X', { flag: 'a' })
    },
    { sampleBytes: block },
  )
  expect(db).toMatchObject({ state: 'failed', why: expect.stringContaining('at offset 100000000') })
})

test('with the comparison off, a lost file is still found by the proof', async () => {
  const { db } = await comparedAfter(
    ({ replicated }, data) => truncateSync(join(replicated.secondaryDir, data), 0),
    { compare: 'off' },
  )
  expect(db).toMatchObject({ state: 'failed', why: expect.stringContaining('has 0 bytes') })
})

test('volumes below the active one are compared, too', async () => {
  await using stage = await createStage([aVm('db')])
  const { id } = aDisk('db-disk1')
  const older = vdsmLayout.filesOf(domain.id, id, aDisk('older').volume ?? '')
  for (const file of older.inRemovalOrder) writeFileSync(join(stage.replicated.primaryDir, file), 'older')
  const report = await stage.run(
    {},
    {
      onEvent(event) {
        if (event.kind !== 'step ended' || event.step !== 'look again') return
        writeFileSync(join(stage.replicated.secondaryDir, older.data), 'oldes')
      },
    },
  )
  expect(report.vms).toMatchObject([{ state: 'failed', why: expect.stringContaining('content differs') }])
})
