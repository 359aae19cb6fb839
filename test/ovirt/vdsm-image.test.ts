import { rename, rm, truncate, writeFile } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import {
  bottom,
  capacity,
  derived,
  idOf,
  middle,
  type Place,
  plain,
  qcow2,
  qcow2Bytes,
  stores,
  template,
  top,
} from '../support/domain-files.ts'
import { type Domain, imageAfter, write } from './image-after.ts'

const unchanged = () => undefined

describe('a sound image', () => {
  test('is a chain, bottom first', async () => {
    expect(await imageAfter(unchanged)).toEqual({
      image: top.image,
      isOvfStore: false,
      flaws: [],
      blocksImport: false,
      volumes: [
        {
          volume: bottom.volume,
          home: top.image,
          role: 'internal',
          format: 'raw',
          legal: true,
          capacityBytes: capacity,
          fileBytes: capacity,
        },
        {
          volume: middle.volume,
          parent: bottom.volume,
          home: top.image,
          role: 'internal',
          format: 'cow',
          legal: true,
          capacityBytes: capacity,
          fileBytes: qcow2Bytes,
        },
        {
          volume: top.volume,
          parent: middle.volume,
          home: top.image,
          role: 'top',
          format: 'cow',
          legal: true,
          capacityBytes: capacity,
          fileBytes: qcow2Bytes,
        },
      ],
    })
  })

  test('is a template alone', async () => {
    const image = await imageAfter(unchanged, template.image)
    expect([image.volumes.map(({ role }) => role), image.flaws]).toEqual([['shared'], []])
  })

  test('is a disk on a template that is linked into its directory', async () => {
    const image = await imageAfter(unchanged, derived.image)
    expect([image.volumes.map(({ role }) => role), image.flaws]).toEqual([['shared', 'top'], []])
  })

  test('is an OVF_STORE, and says so', async () => {
    const image = await imageAfter(unchanged, stores[0].image)
    expect([image.isOvfStore, image.flaws]).toEqual([true, []])
  })

  test.each<[string, (domain: Domain) => unknown]>([
    ['a left-over of a rewritten description', ({ path }) => writeFile(`${path(top)}.meta.new`, 'VOLT')],
    ['data that has no description', ({ path }) => writeFile(path({ ...top, volume: idOf(99) }), 'x')],
    ['no lease', ({ path }) => rm(`${path(top)}.lease`)],
    ['a raw disk that was extended while its VM ran', ({ path }) => truncate(path(bottom), 2 * capacity)],
    [
      'a qcow2 file of version 2',
      ({ path }) => write(path(top), qcow2({ version: 2, backing: middle.volume })),
    ],
    [
      'a backing file that is named by a path',
      ({ path }) => write(path(top), qcow2({ backing: `../${middle.image}/${middle.volume}` })),
    ],
    [
      'an overlay that was not closed (dirty)',
      ({ path }) => write(path(top), qcow2({ backing: middle.volume, features: 1n })),
    ],
  ])('may have %s', async (_name, change) => {
    const image = await imageAfter(change)
    expect([image.flaws, image.volumes.length]).toEqual([[], 3])
  })
})

describe('the import of the whole domain', () => {
  test.each<[string, Place, (domain: Domain) => unknown]>([
    ['description that is empty', plain, ({ path }) => truncate(`${path(plain)}.meta`, 0)],
    ['data that is missing', plain, ({ path }) => rm(path(plain))],
    ['qcow2 header that cannot be read', plain, ({ redescribe }) => redescribe(plain, { FORMAT: 'COW' })],
  ])('is blocked by the %s of an image with one volume', async (_name, place, change) => {
    expect((await imageAfter(change, place.image)).blocksImport).toBe(true)
  })

  test.each<[string, Place, (domain: Domain) => unknown]>([
    ['of an image with more volumes', top, ({ path }) => rm(path(top))],
    ['of a disk that is only too short', plain, ({ path }) => truncate(path(plain), 0)],
    ['of a disk that has no top', plain, ({ redescribe }) => redescribe(plain, { VOLTYPE: 'INTERNAL' })],
    [
      'of a directory without volumes',
      plain,
      ({ path }) => rename(`${path(plain)}.meta`, `${path(plain)}.x`),
    ],
  ])('is not blocked by the flaw %s', async (_name, place, change) => {
    const image = await imageAfter(change, place.image)
    expect([image.flaws.length, image.blocksImport]).toEqual([1, false])
  })
})
