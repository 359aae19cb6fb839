import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { dropOverlays } from '../../src/backup/overlays.ts'
import { Failure } from '../../src/model/errors.ts'
import type { DiskLayout } from '../../src/model/hypervisor.ts'
import { vdsmLayout } from '../../src/ovirt/vdsm-layout.ts'
import { aFolder } from '../run/a-folder.ts'
import { volumeAt } from '../support/stage.ts'
import { uuidOf } from '../support/vms.ts'

const domain = uuidOf('domain')
const image = uuidOf('image')
const base = uuidOf('base')
const overlay = uuidOf('overlay')
const one = { image, base, overlay }

function description(voltype: string, of = image): string {
  return `DOMAIN=${domain}\nFORMAT=RAW\nIMAGE=${of}\nLEGALITY=LEGAL\nVOLTYPE=${voltype}\nEOF\n`
}

/** An image with base and overlay, as replication leaves it. */
function anImage(dir: string, overlays = [one]): void {
  for (const { image: id, base: below, overlay: above } of overlays) {
    for (const [volume, voltype] of [
      [below, 'INTERNAL'],
      [above, 'LEAF'],
    ] as const) {
      const { data } = vdsmLayout.filesOf(domain, id, volume)
      mkdirSync(join(dir, dirname(data)), { recursive: true })
      writeFileSync(join(dir, data), `data of ${volume}`)
      writeFileSync(join(dir, `${data}.lease`), '')
      writeFileSync(join(dir, `${data}.meta`), description(voltype, id))
    }
  }
}

const drop = (dir: string, layout: DiskLayout = vdsmLayout, overlays = [one]) =>
  dropOverlays(volumeAt(dir), layout, domain, overlays)
const namesIn = (dir: string) => readdirSync(join(dir, vdsmLayout.directoryOf(domain, image))).toSorted()
const baseMeta = (dir: string) => join(dir, vdsmLayout.descriptionOf(domain, image, base))
const onlyBase = [base, `${base}.lease`, `${base}.meta`]

test('only the base is left, and it is the top of its chain', async () => {
  const dir = aFolder()
  anImage(dir)
  await drop(dir)
  expect(namesIn(dir)).toEqual(onlyBase)
  expect(readFileSync(baseMeta(dir), 'utf8')).toBe(description('LEAF'))
})

test('a base whose description replication has made and not yet filled is left for the next one to fill', async () => {
  const dir = aFolder()
  anImage(dir)
  writeFileSync(baseMeta(dir), '')
  await drop(dir)
  expect(namesIn(dir)).toEqual(onlyBase)
  expect(statSync(baseMeta(dir)).size).toBe(0)
})

test('an image that cannot be put right keeps no other one from it', async () => {
  const dir = aFolder()
  const other = { image: uuidOf('image2'), base: uuidOf('base2'), overlay: uuidOf('overlay2') }
  anImage(dir, [one, other])
  writeFileSync(baseMeta(dir), 'nonsense')
  await expect(drop(dir, vdsmLayout, [one, other])).rejects.toThrow(`cannot clean image ${image}`)
  const names = readdirSync(join(dir, vdsmLayout.directoryOf(domain, other.image))).toSorted()
  expect(names).toEqual([other.base, `${other.base}.lease`, `${other.base}.meta`].toSorted())
})

test('the description of the base stays the same file, and shrinks with its text', async () => {
  const dir = aFolder()
  anImage(dir)
  const before = statSync(baseMeta(dir)).ino
  await drop(dir)
  expect(statSync(baseMeta(dir)).ino).toBe(before)
  expect(statSync(baseMeta(dir)).size).toBe(description('LEAF').length)
})

test('repeating it changes nothing', async () => {
  const dir = aFolder()
  anImage(dir)
  await drop(dir)
  const before = statSync(baseMeta(dir), { bigint: true }).mtimeNs
  await drop(dir)
  expect(namesIn(dir)).toEqual(onlyBase)
  expect(statSync(baseMeta(dir), { bigint: true }).mtimeNs).toBe(before)
})

test('no other file is touched, however alike its name is', async () => {
  const dir = aFolder()
  anImage(dir)
  const alike = [`${overlay}.keep`, `${overlay}.meta.new`, `${overlay.slice(0, -1)}`, uuidOf('other overlay')]
  for (const name of alike) writeFileSync(join(dir, vdsmLayout.directoryOf(domain, image), name), 'mine')
  await drop(dir)
  expect(namesIn(dir)).toEqual([...onlyBase, ...alike].toSorted())
})

test('an image that never arrived needs nothing', async () => {
  const dir = aFolder()
  await drop(dir)
  expect(readdirSync(dir)).toEqual([])
})

test('every image of a VM is cleaned', async () => {
  const dir = aFolder()
  const two = [one, { image: uuidOf('image 2'), base: uuidOf('base 2'), overlay: uuidOf('overlay 2') }]
  anImage(dir, two)
  await drop(dir, vdsmLayout, two)
  const files = readdirSync(dir, { recursive: true }).map(String)
  expect(files.filter((file) => two.some(({ overlay: made }) => file.includes(made)))).toEqual([])
})

test.each([
  ['belongs to another image', description('INTERNAL', uuidOf('other'))],
  ['is illegal', description('INTERNAL').replace('=LEGAL', '=ILLEGAL')],
])('a base whose description %s is left as it is, and the image is named', async (_what, text) => {
  const dir = aFolder()
  anImage(dir)
  writeFileSync(baseMeta(dir), text)
  const dropped = drop(dir)
  await expect(dropped).rejects.toBeInstanceOf(Failure)
  await expect(dropped).rejects.toThrow(`cannot clean image ${image} on the secondary`)
  expect(readFileSync(baseMeta(dir), 'utf8')).toBe(text)
})

describe('killed at any moment', () => {
  /** What the agent sees of the overlay, file by file, each time it was killed after removing so many. */
  test.each([0, 1, 2, 3])(
    'after %d removals, the description goes last and a repetition cleans up',
    async (count) => {
      const dir = aFolder()
      anImage(dir)
      const killed: DiskLayout = {
        ...vdsmLayout,
        filesOf: (...ids) => {
          const files = vdsmLayout.filesOf(...ids)
          return { ...files, inRemovalOrder: files.inRemovalOrder.slice(0, count) }
        },
        asTop: () => {
          throw new Error('killed')
        },
      }
      await expect(drop(dir, killed)).rejects.toThrow()
      const left = namesIn(dir).filter((name) => name.startsWith(overlay))
      expect(left).toHaveLength(3 - count)
      if (count < 3) expect(left).toContain(`${overlay}.meta`)
      await drop(dir)
      expect(namesIn(dir)).toEqual(onlyBase)
      expect(readFileSync(baseMeta(dir), 'utf8')).toBe(description('LEAF'))
    },
  )
})
