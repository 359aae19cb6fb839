import { createHash } from 'node:crypto'
import { mkdtempDisposable, readdir, readFile, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { extract } from 'tar-stream'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { formatDomainMetadata, formatMeta, parseMeta } from '../../src/lab/vms/meta.ts'
import { ovfStoreBytes } from '../../src/lab/vms/ovf-store.ts'
import { VdsmStorage } from '../../src/lab/vms/vdsm-storage.ts'

const domain = '5c7cdbc2-c4a3-43c2-9d90-6a9d8b9b2a5e'
const pool = '11111111-2222-4333-8444-555555555555'
const volume = {
  image: 'a0000000-0000-4000-8000-000000000001',
  volume: 'b0000000-0000-4000-8000-000000000001',
}

let directory: Awaited<ReturnType<typeof mkdtempDisposable>>
let storage: VdsmStorage
beforeEach(async () => {
  directory = await mkdtempDisposable(join(tmpdir(), 'storage-'))
  storage = new VdsmStorage(directory.path, domain)
  await storage.create({ pool, description: 'vmstore', remotePath: 'g1:/vmstore' })
})
afterEach(() => directory.remove())

test('a .meta is sorted lines and EOF, and reads back the same', () => {
  const meta = { VOLTYPE: 'LEAF', CAP: '1024', DESCRIPTION: '{"a":"b=c"}' }
  expect(formatMeta(meta)).toBe('CAP=1024\nDESCRIPTION={"a":"b=c"}\nVOLTYPE=LEAF\nEOF\n')
  expect(parseMeta(`${formatMeta(meta)}\0\0`)).toEqual(meta)
})

test('a .meta of more than 512 bytes is refused', () => {
  expect(() => formatMeta({ DESCRIPTION: 'x'.repeat(512) })).toThrow('512 bytes')
})

test('a .meta cut before its EOF is refused', () => {
  expect(() => parseMeta('CAP=1024\n')).toThrow('EOF')
})

test('the seal is the SHA-1 of the sorted lines joined without newlines', () => {
  const seal = createHash('sha1').update('A=1B=2').digest('hex')
  expect(formatDomainMetadata({ B: '2', A: '1' })).toBe(`A=1\nB=2\n_SHA_CKSUM=${seal}\n`)
})

test('a domain has the six files of dom_md, its metadata naming it', async () => {
  const files = await readdir(join(directory.path, domain, 'dom_md'))
  expect(files.sort()).toEqual(['ids', 'inbox', 'leases', 'metadata', 'outbox', 'xleases'])
  const metadata = await readFile(join(directory.path, domain, 'dom_md', 'metadata'), 'utf8')
  const lines = ['VERSION=5', 'TYPE=GLUSTERFS', 'BLOCK_SIZE=512', `SDUUID=${domain}`, `POOL_UUID=${pool}`]
  expect(metadata.split('\n')).toEqual(expect.arrayContaining(lines))
})

test('a raw volume is a sparse file of its size beside lease and .meta', async () => {
  await storage.createVolume({ ...volume, sizeBytes: 2 ** 20, format: 'raw', alias: 'd1' })
  const files = await readdir(join(storage.root, 'images', volume.image))
  expect(files.sort()).toEqual([volume.volume, `${volume.volume}.lease`, `${volume.volume}.meta`])
  expect((await stat(storage.path(volume))).size).toBe(2 ** 20)
  expect(await storage.allocatedBytes(volume)).toBe(0)
  expect(await storage.readMeta(volume)).toMatchObject({
    CAP: '1048576',
    DESCRIPTION: '{"DiskAlias":"d1","DiskDescription":""}',
    DISKTYPE: 'DATA',
    DOMAIN: domain,
    FORMAT: 'RAW',
    IMAGE: volume.image,
    LEGALITY: 'LEGAL',
    PUUID: '00000000-0000-0000-0000-000000000000',
    VOLTYPE: 'LEAF',
  })
})

test('a change of the .meta gives it another inode and leaves no .meta.new', async () => {
  await storage.createVolume({ ...volume, sizeBytes: 2 ** 20, format: 'raw', alias: 'd1' })
  const path = `${storage.path(volume)}.meta`
  const before = (await stat(path)).ino
  await storage.setLegality(volume, 'ILLEGAL')
  expect((await storage.readMeta(volume))['LEGALITY']).toBe('ILLEGAL')
  expect((await stat(path)).ino).not.toBe(before)
  expect(await readdir(join(storage.root, 'images', volume.image))).toHaveLength(3)
})

test('an OVF_STORE holds the members in their order, and its description tells size and date', async () => {
  await storage.createOvfStore(volume)
  const description = async () => JSON.parse((await storage.readMeta(volume))['DESCRIPTION'] ?? '') as object
  expect(await description()).toMatchObject({ Updated: false, 'Last Updated': null })
  const members = ['info.json', 'metadata.json', 'vm.ovf'].map((name) => ({ name, content: `of ${name}` }))
  await storage.writeOvfStore(volume, { members, at: new Date('2022-10-18T08:26:55Z') })
  expect(await description()).toEqual({
    Updated: true,
    Size: 4096,
    'Last Updated': 'Tue Oct 18 08:26:55 UTC 2022',
    'Storage Domains': [{ uuid: domain }],
    'Disk Description': 'OVF_STORE',
  })
  const tar = extract()
  tar.end((await readFile(storage.path(volume))).subarray(0, 4096))
  const read: object[] = []
  for await (const entry of tar) {
    read.push({ name: entry.header.name, content: await text(entry) })
  }
  expect(read).toEqual(members)
})

test('an OVF_STORE written shorter tells the shorter size and keeps its own', async () => {
  await storage.createOvfStore(volume)
  const at = new Date()
  const long = { name: 'vm.ovf', content: 'x'.repeat(100_000) }
  await storage.writeOvfStore(volume, { members: [long], at })
  await storage.writeOvfStore(volume, { members: [{ ...long, content: 'y' }], at })
  const { Size } = JSON.parse((await storage.readMeta(volume))['DESCRIPTION'] ?? '') as { Size: number }
  expect(Size).toBe(2048)
  expect((await stat(storage.path(volume))).size).toBe(ovfStoreBytes)
})
