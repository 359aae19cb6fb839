import { mkdir, rm, symlink, truncate } from 'node:fs/promises'
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
  template,
  top,
} from '../support/domain-files.ts'
import { type Domain, imageAfter, write } from './image-after.ts'

describe('a flaw of an image', () => {
  const flawed: [string, Place, (domain: Domain) => unknown, string][] = [
    [
      'a volume that is ILLEGAL',
      middle,
      ({ redescribe }) => redescribe(middle, { LEGALITY: 'ILLEGAL' }),
      `volume ${middle.volume} is ILLEGAL`,
    ],
    [
      'a volume that is FAKE',
      plain,
      ({ redescribe }) => redescribe(plain, { LEGALITY: 'FAKE' }),
      `volume ${plain.volume} is FAKE`,
    ],
    [
      'a description of another image',
      plain,
      ({ redescribe }) => redescribe(plain, { IMAGE: top.image }),
      `the description of volume ${plain.volume}: its IMAGE is ${top.image}, not ${plain.image}`,
    ],
    [
      'a description that is empty',
      plain,
      ({ path }) => truncate(`${path(plain)}.meta`, 0),
      `the description of volume ${plain.volume}: it has no line EOF`,
    ],
    [
      'data that is missing',
      top,
      ({ path }) => rm(path(top)),
      `the data of volume ${top.volume}: it is missing`,
    ],
    [
      'data that is a directory',
      plain,
      async ({ path }) => {
        await rm(path(plain))
        await mkdir(path(plain))
      },
      `the data of volume ${plain.volume}: it is no plain file`,
    ],
    [
      'data that is elsewhere',
      plain,
      async ({ path }) => {
        await rm(path(plain))
        await symlink(path(bottom), path(plain))
      },
      `the data of volume ${plain.volume}: it is no plain file`,
    ],
    [
      'no top',
      plain,
      ({ redescribe }) => redescribe(plain, { VOLTYPE: 'INTERNAL' }),
      'no volume is marked as the top of the chain',
    ],
    [
      'two tops',
      top,
      ({ addVolume }) => addVolume({ ...top, volume: idOf(99) }),
      '2 volumes are marked as the top of the chain',
    ],
    [
      'a top below another volume',
      top,
      ({ redescribe }) =>
        Promise.all([redescribe(middle, { VOLTYPE: 'LEAF' }), redescribe(top, { VOLTYPE: 'INTERNAL' })]),
      `volume ${middle.volume} is marked as the top of the chain, and volume ${top.volume} stands on it`,
    ],
    [
      'a parent that is not there',
      top,
      async ({ path }) => {
        for (const suffix of ['', '.meta']) await rm(path(middle) + suffix)
      },
      `the parent ${middle.volume} of volume ${top.volume} is not there`,
    ],
    [
      'a parent without a description',
      top,
      ({ path }) => rm(`${path(middle)}.meta`),
      `volume ${middle.volume} has data and no description`,
    ],
    [
      'a fork',
      top,
      ({ addVolume }) =>
        addVolume({ ...top, volume: idOf(99) }, { VOLTYPE: 'INTERNAL', PUUID: bottom.volume }),
      `2 volumes stand on volume ${bottom.volume}`,
    ],
    [
      'a volume beside the chain',
      top,
      ({ addVolume }) => addVolume({ ...top, volume: idOf(99) }, { VOLTYPE: 'INTERNAL' }),
      'its volumes are not one chain',
    ],
    [
      'a circle',
      top,
      async ({ redescribe, path }) => {
        await redescribe(bottom, { FORMAT: 'COW', PUUID: middle.volume })
        await write(path(bottom), qcow2({ backing: middle.volume }))
      },
      `the parents of volume ${top.volume} run in a circle`,
    ],
    [
      'a volume that stands on itself',
      plain,
      async ({ redescribe, path }) => {
        await redescribe(plain, { FORMAT: 'COW', PUUID: plain.volume })
        await write(path(plain), qcow2({ backing: plain.volume }))
      },
      `volume ${plain.volume} is marked as the top of the chain, and volume ${plain.volume} stands on it`,
    ],
    [
      'a template without the disk that stands on it',
      derived,
      async ({ path }) => {
        for (const suffix of ['', '.meta']) await rm(path(derived) + suffix)
      },
      `its only volume ${template.volume} is the template of image ${template.image}`,
    ],
    [
      'two templates and no disk',
      template,
      ({ addVolume }) =>
        addVolume({ ...template, volume: idOf(99) }, { VOLTYPE: 'SHARED', PUUID: template.volume }),
      'no volume is marked as the top of the chain',
    ],
    [
      'a template above a volume that is none',
      top,
      ({ redescribe }) => redescribe(middle, { VOLTYPE: 'SHARED' }),
      `the template ${middle.volume} stands on volume ${bottom.volume}, which is none`,
    ],
    ['no volume at all', plain, ({ path }) => rm(`${path(plain)}.meta`), 'it has no volume'],
    [
      'a raw file that is too short',
      plain,
      ({ path }) => truncate(path(plain), capacity - 1),
      `volume ${plain.volume} has ${capacity - 1} bytes, its capacity is ${capacity}`,
    ],
    [
      'a raw file that is empty',
      plain,
      ({ path }) => truncate(path(plain), 0),
      `volume ${plain.volume} has 0 bytes, its capacity is ${capacity}`,
    ],
  ]
  test.each(flawed)('is %s', async (_name, { image }, change, flaw) => {
    expect((await imageAfter(change, image)).flaws).toContain(flaw)
  })

  test('does not hide others', async () => {
    const image = await imageAfter(async ({ redescribe, path }) => {
      await redescribe(middle, { LEGALITY: 'ILLEGAL' })
      await truncate(path(middle), 100)
      await redescribe(top, { VOLTYPE: 'INTERNAL' })
    })
    expect(image.flaws).toHaveLength(3)
  })
})
