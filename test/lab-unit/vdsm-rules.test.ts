import {
  appendFile,
  mkdir,
  mkdtempDisposable,
  open,
  readFile,
  rm,
  truncate,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { VdsmStorage } from '../../src/lab/vms/vdsm-storage.ts'
import { judgeDomain } from '../support/vdsm-rules.ts'
import { cow, document, domain, other, overlay, raw, stores, vm } from './rules-documents.ts'

let directory: Awaited<ReturnType<typeof mkdtempDisposable>>
let storage: VdsmStorage

beforeEach(async () => {
  directory = await mkdtempDisposable(join(tmpdir(), 'rules-'))
  storage = new VdsmStorage(directory.path, domain)
  await storage.create({
    pool: '11111111-2222-4333-8444-555555555555',
    description: 'x',
    remotePath: 'g1:/x',
  })
  await storage.createVolume({ ...raw, sizeBytes: 2 ** 20, format: 'raw', alias: 'd1' })
  await storage.createVolume({ ...cow, sizeBytes: 2 ** 20, format: 'cow', alias: 'd2' })
  for (const store of stores) await storage.createOvfStore(store)
  await writeStores(document(raw.volume))
})
afterEach(() => directory.remove())

const judge = () => judgeDomain(directory.path, domain)
const judgedVm = async () => (await judge()).vms.get(vm)

async function writeStores(content: string, which = stores, at = new Date('2026-11-21T03:00:00Z')) {
  const members = [
    { name: 'info.json', content: '{}' },
    { name: `${vm}.ovf`, content },
  ]
  for (const store of which) await storage.writeOvfStore(store, { members, at })
}

async function takeOverlay(): Promise<void> {
  await storage.createOverlay({ image: raw.image, base: raw.volume, overlay })
}

/** Changes a text file in place. */
async function change(path: string, from: string | RegExp, to: string): Promise<void> {
  const before = await readFile(path, 'utf8')
  const after = before.replace(from, to)
  expect(after).not.toBe(before)
  await writeFile(path, after)
}

const metaOf = (ref: { image: string; volume: string }) => `${storage.path(ref)}.meta`
const metadata = () => join(storage.root, 'dom_md', 'metadata')

test('a sound domain imports, and its VM registers, starts and takes snapshots', async () => {
  const { importable, why, images, vms } = await judge()
  expect([importable, why]).toEqual([true, []])
  expect([...images.values()]).toEqual(
    Array.from({ length: 4 }, () => ({ prepares: true, snapshots: true, why: [] })),
  )
  expect([...vms]).toEqual([[vm, { name: 'web', registers: true, starts: true, canSnapshot: true, why: [] }]])
})

test('a sound chain with a snapshot that the document names is good too', async () => {
  await takeOverlay()
  await writeStores(document(overlay, { ...raw, snapshot: 'before' }))
  expect(await judgedVm()).toMatchObject({ starts: true, canSnapshot: true, why: [] })
})

describe('a domain does not import when', () => {
  test.each([
    ['its seal is broken', () => change(metadata(), 'ROLE=Regular', 'ROLE=Master'), 'seal'],
    ['its metadata are of another domain', () => change(metadata(), /SDUUID=./, 'SDUUID=f'), 'of domain f'],
    ['its metadata are gone', () => rm(metadata()), 'no dom_md/metadata'],
    ['its ids are gone', () => rm(join(storage.root, 'dom_md', 'ids')), 'dom_md/ids'],
    ['its images are gone', () => rm(join(storage.root, 'images'), { recursive: true }), 'directory images'],
    ['a lone .meta is cut', () => truncate(metaOf(raw), 60), 'no '],
    ['a lone .meta is empty', () => truncate(metaOf(raw), 0), 'no DOMAIN'],
    ['a lone .meta has an odd value', () => change(metaOf(raw), '=LEAF', '=TWIG'), 'VOLTYPE is TWIG'],
    ['a lone volume has no data file', () => rm(storage.path(raw)), 'no data file'],
    ['a lone .meta is of another domain', () => change(metaOf(raw), domain, other), 'of domain 6c7'],
    ['a lone .meta is of another image', () => change(metaOf(raw), raw.image, cow.image), 'of image'],
    ['a lone qcow2 has lost its header', () => truncate(storage.path(cow), 0), 'qemu-img cannot read'],
  ])('%s', async (_, damage, word) => {
    await damage()
    const { importable, why } = await judge()
    expect([importable, why.join()]).toEqual([false, expect.stringContaining(word)])
  })
})

test('a directory that is no image and data without a .meta are not looked at', async () => {
  await mkdir(join(storage.root, 'images', `_remove_me_${raw.image}`))
  await writeFile(join(storage.root, 'images', raw.image, overlay), '')
  expect(await judge()).toMatchObject({ importable: true, why: [] })
})

test('a lone volume marked INTERNAL imports and starts, and its VM never takes a snapshot', async () => {
  await change(metaOf(raw), 'VOLTYPE=LEAF', 'VOLTYPE=INTERNAL')
  const { importable, images, vms } = await judge()
  expect(importable).toBe(true)
  expect(images.get(raw.image)).toEqual({ prepares: true, snapshots: false, why: ['no leaf'] })
  expect(vms.get(vm)).toMatchObject({ registers: true, starts: true, canSnapshot: false })
})

test('an illegal volume anywhere in the image keeps it from being prepared', async () => {
  await takeOverlay()
  await storage.setLegality({ image: raw.image, volume: overlay }, 'ILLEGAL')
  const { importable, images, vms } = await judge()
  expect(importable).toBe(true)
  expect(images.get(raw.image)).toMatchObject({ prepares: false, snapshots: false })
  expect(vms.get(vm)).toMatchObject({ registers: true, starts: false, canSnapshot: false })
})

test('two leaves leave the image lock without one leaf', async () => {
  await takeOverlay()
  await change(metaOf(raw), 'VOLTYPE=INTERNAL', 'VOLTYPE=LEAF')
  expect((await judge()).images.get(raw.image)).toMatchObject({ snapshots: false, why: ['2 leaves'] })
})

test('a parent that does not exist and a chain that is a ring keep an image from being prepared', async () => {
  await takeOverlay()
  const leaf = { image: raw.image, volume: overlay }
  const flaws = async () => (await judge()).images.get(raw.image)?.why.join()
  await change(metaOf(leaf), `PUUID=${raw.volume}`, `PUUID=${cow.volume}`)
  expect(await flaws()).toBe(`parent ${cow.volume} does not exist`)
  await change(metaOf(leaf), `PUUID=${cow.volume}`, `PUUID=${overlay}`)
  expect(await flaws()).toBe(`${overlay} is its own ancestor`)
})

test('a document that names an overlay which is gone registers and does not start', async () => {
  await writeStores(document(overlay))
  expect(await judge()).toMatchObject({ importable: true })
  expect(await judgedVm()).toMatchObject({ registers: true, starts: false, canSnapshot: false })
})

test('a document that names the base below an overlay that was left starts and takes no snapshot', async () => {
  await takeOverlay()
  expect(await judgedVm()).toMatchObject({ registers: true, starts: true, canSnapshot: false })
})

test('an overlay that is over something else than its parent does not start', async () => {
  await takeOverlay()
  const path = storage.path({ image: raw.image, volume: overlay })
  await execa('qemu-img', ['rebase', '-u', '-f', 'qcow2', '-b', 'elsewhere', '-F', 'raw', path])
  await writeStores(document(overlay))
  expect(await judgedVm()).toMatchObject({ starts: false, why: [expect.stringContaining('over elsewhere')] })
})

test('a raw disk shorter than its capacity does not start', async () => {
  await truncate(storage.path(raw), 2 ** 19)
  expect(await judgedVm()).toMatchObject({ starts: false, why: [expect.stringContaining('524288 of')] })
})

test('a qcow2 whose tables are damaged does not start although its header is sound', async () => {
  const l1 = 3 * 65_536
  await using file = await open(storage.path(cow), 'r+')
  await file.write(Buffer.from('80000000000a0000', 'hex'), 0, 8, l1)
  await file.sync()
  const { importable, vms } = await judge()
  expect(importable).toBe(true)
  expect(vms.get(vm)).toMatchObject({ starts: false, why: [expect.stringContaining('qemu-img check')] })
})

test('a VM with an image that is gone does not register; a disk of another domain is dropped', async () => {
  const foreign = { image: other, volume: overlay }
  await writeStores(document(raw.volume, { ...foreign, storage: other }))
  expect(await judgedVm()).toMatchObject({ registers: true, starts: true })
  await writeStores(document(raw.volume, foreign))
  expect(await judgedVm()).toMatchObject({ registers: false, starts: false, why: [`no image ${other}`] })
})

test('a document that is no XML does not register', async () => {
  await writeStores('<a><b></a>')
  expect(await judgedVm()).toMatchObject({ registers: false, why: [expect.stringContaining('no XML')] })
})

describe('of the two OVF stores', () => {
  const newer = new Date('2026-11-21T04:00:00Z')

  test.each([0, 1])('the newer counts, number %i', async (index) => {
    await writeStores(document(overlay), stores.slice(index, index + 1), newer)
    expect(await judgedVm()).toMatchObject({ starts: false })
  })

  test('one that is not up to date does not count', async () => {
    await writeStores(document(overlay), stores.slice(0, 1), newer)
    await change(metaOf(stores[0] ?? raw), '"Updated":true', '"Updated":false')
    expect(await judgedVm()).toMatchObject({ starts: true })
  })

  test('one that cannot be read gives way to the other', async () => {
    await writeStores(document(overlay), stores.slice(0, 1), newer)
    await using file = await open(storage.path(stores[0] ?? raw), 'r+')
    await file.write(Buffer.alloc(512, 7), 0, 512, 0)
    await file.sync()
    expect(await judgedVm()).toMatchObject({ starts: true })
  })

  test('none up to date: the domain imports without a VM', async () => {
    for (const store of stores) await change(metaOf(store), '"Updated":true', '"Updated":false')
    const { importable, why, vms } = await judge()
    expect([importable, vms.size, why]).toEqual([true, 0, [expect.stringContaining('OVF_STORE')]])
  })
})

test('a .meta that goes on after its EOF or ends in zeros reads the same', async () => {
  await appendFile(metaOf(raw), 'rubbish\n\0\0')
  expect(await judge()).toMatchObject({ importable: true, why: [] })
})
