import { truncate } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import {
  bottom,
  derived,
  middle,
  noParent,
  qcow2,
  qcow2Bytes,
  template,
  top,
} from '../support/domain-files.ts'
import { imageAfter, number, write } from './image-after.ts'

describe('a qcow2 file is of no use', () => {
  const headers: [string, (file: string) => Promise<void>, string][] = [
    ['is empty', (file) => truncate(file, 0), 'it is empty'],
    ['is all zeros', (file) => write(file, Buffer.alloc(512)), 'it has no qcow2 header'],
    ['ends within its header', (file) => truncate(file, 80), 'it ends within its qcow2 header'],
    ['has another version', (file) => write(file, Buffer.from([0, 0, 0, 4]), 4), 'its qcow2 version is 4'],
    [
      'has impossible clusters',
      (file) => write(file, Buffer.from([0, 0, 0, 40]), 20),
      'its qcow2 cluster size is 2^40',
    ],
    ['is marked as corrupt', (file) => write(file, number(2), 72), 'it is marked as corrupt'],
    ['keeps its data elsewhere', (file) => write(file, number(4), 72), 'its data is in another file'],
    [
      'needs what nobody knows',
      (file) => write(file, number(1n << 40n), 72),
      'it needs unknown qcow2 features: 0x10000000000',
    ],
    [
      'names its backing file at too great a length',
      (file) => write(file, Buffer.from([0, 1, 0, 0]), 16),
      'its backing file name is too long',
    ],
    [
      'names its backing file past its end',
      (file) => write(file, number(1n << 60n), 8),
      'it ends within its backing file name',
    ],
  ]
  test.each(headers)('when it %s', async (_name, damage, why) => {
    const image = await imageAfter(({ path }) => damage(path(top)))
    expect(image.flaws).toEqual([`the data of volume ${top.volume}: ${why}`])
  })

  test.each<[string, number]>([
    ['L1 table', qcow2Bytes - 65_536],
    ['refcount table', 65_536],
  ])('when it ends before its %s', async (_name, bytes) => {
    const image = await imageAfter(({ path }) => truncate(path(top), bytes))
    expect(image.flaws).toEqual([
      `volume ${top.volume} has ${bytes} bytes, its tables end at ${qcow2Bytes - 65_536 + 8}`,
    ])
  })

  test('when its backing file is not its parent', async () => {
    const image = await imageAfter(({ path }) => write(path(top), qcow2({ backing: bottom.volume })))
    expect(image.flaws).toEqual([
      `the backing file of volume ${top.volume} is "${bottom.volume}", not its parent ${middle.volume}`,
    ])
  })

  test('when it has a parent and no backing file', async () => {
    const image = await imageAfter(({ path }) => write(path(top), number(0), 8))
    expect(image.flaws).toEqual([`volume ${top.volume} has no backing file, its parent is ${middle.volume}`])
  })

  test('when it has a backing file and no parent', async () => {
    const image = await imageAfter(
      ({ redescribe }) => redescribe(derived, { PUUID: noParent }),
      derived.image,
    )
    expect(image.flaws).toContain(
      `the backing file of volume ${derived.volume} is "${template.volume}", and it has no parent`,
    )
  })
})
