import { open, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import { vdsmFormat } from '../../src/ovirt/vdsm-domain.ts'
import {
  bottom,
  derived,
  domainId,
  idOf,
  middle,
  ovf,
  plain,
  stores,
  template,
  top,
  vms,
} from '../support/domain-files.ts'
import { aDomainWithStores, only } from './domain-with-stores.ts'

const { signal } = new AbortController()
const [older, newer] = stores

describe('the stores of a domain', () => {
  test('are found among its images', async () => {
    const { read } = await aDomainWithStores()
    expect((await read()).map(({ image, volume }) => ({ image, volume }))).toEqual(stores)
  })

  test('are looked for among the images given only', async () => {
    const { root } = await aDomainWithStores()
    const images = [newer.image, plain.image, idOf(99), '../x']
    const found = await vdsmFormat.readOvfStores(root, domainId, images, signal)
    expect(found.map(({ image }) => image)).toEqual([newer.image])
  })

  test('have the content that their description vouches for, and its date', async () => {
    const { read, path } = await aDomainWithStores()
    const [first] = await read()
    const size = JSON.parse(first?.description.match(/^DESCRIPTION=(.*)$/m)?.[1] ?? '').Size
    expect(first).toEqual({
      ...older,
      description: await readFile(`${path(older)}.meta`, 'latin1'),
      content: (await readFile(path(older))).subarray(0, size),
      updatedAt: Date.UTC(2026, 10, 21, 0, 17, 45),
    })
  })

  test.each([
    ['Sat Nov 21 03:17:45 UTC 2026', Date.UTC(2026, 10, 21, 3, 17, 45)],
    ['Thu Oct 1 03:17:45 GMT 2026', Date.UTC(2026, 9, 1, 3, 17, 45)],
    ['Sat Nov 21 03:17:45 EST 2026', Date.UTC(2026, 10, 21, 8, 17, 45)],
    ['Sat Nov 21 03:17:45 XYZT 2026', Date.UTC(2026, 10, 21, 3, 17, 45)],
  ])('may be dated %s', async (at, updatedAt) => {
    const { read, fillStore } = await aDomainWithStores()
    await fillStore(older, only('a'), at)
    expect((await read())[0]?.updatedAt).toBe(updatedAt)
  })

  const at = 'Sat Nov 21 03:17:45 UTC 2026'
  test.each<[string, Record<string, unknown>]>([
    ['is not up to date', { Updated: false }],
    ['has no size', { Size: undefined }],
    ['has a size beyond its end', { Size: 2 * 1024 * 1024 }],
    ['has a size beyond reason', { Size: 10 ** 12 }],
    ['has a negative size', { Size: -1 }],
    ['has no date', { 'Last Updated': null }],
    ['has a date that nobody can read', { 'Last Updated': 'yesterday' }],
    ['is of another domain', { 'Storage Domains': [{ uuid: idOf(9) }] }],
  ])('have no content where the label %s', async (_name, label) => {
    const { read, fillStore } = await aDomainWithStores()
    await fillStore(older, only('a'), at, label)
    const [first, second] = await read()
    expect([first?.content, second?.content === undefined]).toEqual([undefined, false])
  })

  test('have no content where the description is cut off, and are stores all the same', async () => {
    const { read, path } = await aDomainWithStores()
    const text = await readFile(`${path(older)}.meta`, 'utf8')
    await writeFile(`${path(older)}.meta`, text.slice(0, text.indexOf('DOMAIN')))
    expect((await read())[0]).toMatchObject({ ...older, updatedAt: 0 })
    expect((await read())[0]?.content).toBeUndefined()
  })

  test('have no content where the data is missing', async () => {
    const { read, path } = await aDomainWithStores()
    await rm(path(older))
    expect((await read()).map(({ content }) => content === undefined)).toEqual([true, false])
  })
})

describe('the documents of VMs', () => {
  test('are those of VMs and templates, with the volumes they name', async () => {
    const { read } = await aDomainWithStores()
    const { documents, ...rest } = await vdsmFormat.documentsIn(await read())
    expect(documents.map(({ id, name, volumes }) => ({ id, name, volumes }))).toEqual([
      { id: vms.web, name: 'web', volumes: [plain, bottom, middle, top] },
      { id: vms.db, name: 'db', volumes: [derived] },
      { id: vms.golden, name: 'golden', volumes: [template] },
    ])
    expect(rest).toEqual({ skipped: [] })
  })

  test('are taken from the newest store', async () => {
    const files = await aDomainWithStores()
    await files.fillStore(older, only('fresh'), 'Sat Nov 21 09:00:00 UTC 2026')
    expect(await files.names()).toEqual(['fresh'])
  })

  test('are not taken from a newer store that is not up to date', async () => {
    const files = await aDomainWithStores()
    await files.fillStore(older, only('fresh'), 'Sat Nov 21 09:00:00 UTC 2026', { Updated: false })
    expect(await files.names()).toEqual(['web', 'db', 'golden'])
  })

  test.each<[string, (file: string) => Promise<void>]>([
    [
      'is all zeros',
      async (file) => {
        await truncate(file, 0)
        await truncate(file, 1024 * 1024)
      },
    ],
    [
      'has a damaged member',
      async (file) => {
        await using handle = await open(file, 'r+')
        await handle.write(Buffer.from('damage'), 0, 6, 148)
      },
    ],
    [
      'has lost its info.json',
      async (file) => {
        await using handle = await open(file, 'r+')
        await handle.write(Buffer.alloc(512, 'x'), 0, 512, 512)
      },
    ],
  ])('are taken from the other store if the newest %s', async (_name, damage) => {
    const files = await aDomainWithStores()
    await files.fillStore(older, only('fallback'), 'Sat Nov 21 00:30:00 UTC 2026')
    await damage(files.path(newer))
    expect(await files.names()).toEqual(['fallback'])
  })

  test('are whole but for one that cannot be read', async () => {
    const files = await aDomainWithStores()
    const members = { ...only('sound'), [`${idOf(81)}.ovf`]: '<broken>', 'x.ovf': ovf('x', []) }
    await files.fillStore(newer, members, 'Sat Nov 21 09:00:00 UTC 2026')
    const { documents, skipped, flaw } = await vdsmFormat.documentsIn(await files.read())
    expect([documents.map(({ name }) => name), flaw]).toEqual([['sound'], undefined])
    expect(skipped).toEqual([
      expect.stringContaining(`${idOf(81)}.ovf: it is no XML: `),
      'x.ovf: its name is not that of a VM',
    ])
  })

  test('are none where there is no store', async () => {
    expect(await vdsmFormat.documentsIn([])).toEqual({
      documents: [],
      skipped: [],
      flaw: 'the domain has no OVF_STORE',
    })
  })

  test('are none where no store is up to date', async () => {
    const files = await aDomainWithStores()
    for (const store of stores) await files.outdate(store)
    expect((await vdsmFormat.documentsIn(await files.read())).flaw).toBe(
      'no OVF_STORE of the domain is both marked as up to date and as long as it says',
    )
  })

  test('are none where no store can be read', async () => {
    const files = await aDomainWithStores()
    for (const store of stores) {
      await truncate(files.path(store), 0)
      await truncate(files.path(store), 1024 * 1024)
    }
    expect((await vdsmFormat.documentsIn(await files.read())).flaw).toBe(
      stores
        .toReversed()
        .map(({ image }) => `OVF_STORE ${image} cannot be read: it has no info.json`)
        .join('; '),
    )
  })
})
