import { readFileSync } from 'node:fs'
import { copyFile, mkdir, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { vdsmLayout } from '../../src/ovirt/vdsm-layout.ts'
import { listPoints, pointsDir } from '../../src/point/points.ts'
import { checkLine } from '../fuzz/parser.ts'
import { domain } from '../support/memory-hypervisor.ts'
import { aVm, uuidOf } from '../support/vms.ts'
import { createVolumeFiles, ovfStores } from '../support/volume-files.ts'
import { newestPoint, verified } from './a-point.ts'
import { aSecondary, pathsOf } from './a-secondary.ts'

const db = pathsOf('db-disk1')

test('every claim of an untouched recovery point holds, and what was not claimed is not', async () => {
  const { stage, root } = await aSecondary()
  await using _ = stage
  const told: string[] = []
  const verification = await verified(root, { told: (vm, done, of) => told.push(`${vm.name} ${done}/${of}`) })
  expect(verification).toMatchObject({ verdict: 'proved', flaws: [] })
  expect(verification.vms.map(({ name, verdict, content }) => [name, verdict, content])).toEqual([
    ['db', 'proved', 'samples'],
    ['he', 'not claimed', undefined],
    ['web', 'proved', 'samples'],
  ])
  expect(verification.bytesRead).toBeGreaterThan(0)
  expect(told).toEqual(['db 1/2', 'web 2/2'])
})

test('no name in a manifest reaches a terminal as more than one line of text', async () => {
  const { stage, root } = await aSecondary()
  await using _ = stage
  const point = await newestPoint(root)
  for (const vm of point.vms) {
    vm.name = 'web\n\x1b[2J'
    for (const disk of vm.disks) disk.name = 'disk\n\x1b[2J'
    delete vm.ovf
  }
  await rm(join(root, db.data))
  const { vms } = await verified(root, {}, point)
  expect(vms.map(({ name }) => name)).toEqual(['web [2J', 'web [2J', 'web [2J'])
  for (const why of vms.flatMap((vm) => vm.why)) checkLine(why)
})

test('nothing on the volume is changed by verifying', async () => {
  const { stage, root } = await aSecondary()
  await using _ = stage
  const before = await stage.files('secondaryDir')
  const content = readFileSync(join(root, db.data))
  await verified(root)
  expect(await stage.files('secondaryDir')).toEqual(before)
  expect(readFileSync(join(root, db.data)).equals(content)).toBe(true)
})

/** A change of the recovery point, the VMs that it spoils, and what is said of them. */
type Tampering = [what: string, change: (root: string) => Promise<unknown>, spoilt: string[], words: string]

const everyVm = ['db', 'web']
const at = (path: string) => (root: string) => join(root, path)
const tamperings: Tampering[] = [
  [
    'one byte of a disk is flipped',
    (root) => writeFile(at(db.data)(root), 'X', { flag: 'r+' }),
    ['db'],
    'its content is not what was proved',
  ],
  ['a disk is cut short', (root) => truncate(at(db.data)(root), 70_000), ['db'], 'has 70000 bytes'],
  ['a disk is empty', (root) => truncate(at(db.data)(root), 0), ['db'], 'has 0 bytes'],
  [
    'a disk has grown',
    (root) => truncate(at(db.data)(root), 300_000),
    ['db'],
    'fileBytes is 300000, was 200000',
  ],
  ['a disk is gone', (root) => rm(dirname(at(db.data)(root)), { recursive: true }), ['db'], 'is not there'],
  [
    'a disk is marked as the inner part of a chain',
    async (root) =>
      writeFile(at(db.meta)(root), (await readFile(at(db.meta)(root), 'utf8')).replace('LEAF', 'INTERNAL')),
    ['db'],
    'no volume is marked as the top',
  ],
  [
    'a disk is marked as illegal',
    async (root) =>
      writeFile(at(db.meta)(root), (await readFile(at(db.meta)(root), 'utf8')).replace('=LEGAL', '=ILLEGAL')),
    ['db'],
    'is ILLEGAL',
  ],
  ['a description is empty', (root) => truncate(at(db.meta)(root), 0), everyVm, 'no line EOF'],
  [
    'a forgotten overlay stands on a disk',
    async (root) => {
      const overlay = uuidOf('overlay')
      const data = join(dirname(at(db.data)(root)), overlay)
      await copyFile(at(db.data)(root), data)
      const meta = await readFile(at(db.meta)(root), 'utf8')
      await writeFile(`${data}.meta`, meta.replace(/PUUID=.*/, `PUUID=${db.volume}`).replace('=RAW', '=COW'))
      await writeFile(at(db.meta)(root), meta.replace('LEAF', 'INTERNAL'))
    },
    ['db'],
    'no part of the recovery point',
  ],
  [
    'the disks of two VMs have changed places',
    async (root) => {
      const web = pathsOf('web-disk1')
      const [one, two] = await Promise.all([readFile(at(db.data)(root)), readFile(at(web.data)(root))])
      // The same names and sizes; only the content tells them apart.
      const size = Math.min(one.length, two.length)
      await writeFile(at(db.data)(root), Buffer.concat([two.subarray(0, size), one.subarray(size)]))
    },
    ['db'],
    'its content is not what was proved',
  ],
  [
    'the VM documents were written again with another content',
    (root) => writeStores(root, [aVm('web'), aVm('db', { disks: [] })]),
    ['db'],
    'another one than was proved',
  ],
  [
    'a VM is missing in the VM documents',
    (root) => writeStores(root, [aVm('web')]),
    ['db'],
    'no document of it',
  ],
  [
    'the stores of VM documents are not vouched for',
    (root) =>
      Promise.all(
        ovfStores.map(({ image, volume }) =>
          truncate(at(vdsmLayout.filesOf(domain.id, image, volume).data)(root), 0),
        ),
      ),
    everyVm,
    'no OVF_STORE of the domain',
  ],
  [
    "the domain's own metadata was changed",
    (root) => writeFile(join(root, domain.id, 'dom_md/metadata'), 'VERSION=4\n', { flag: 'a' }),
    everyVm,
    'the seal of the domain',
  ],
  [
    'the domain was renamed away',
    async (root) => {
      await mkdir(join(root, 'away'))
      await rename(join(root, domain.id, 'dom_md'), join(root, 'away/dom_md'))
    },
    everyVm,
    'metadata cannot be read',
  ],
]

/** Both stores on the secondary, written anew with documents of these VMs. */
async function writeStores(root: string, vms: ReturnType<typeof aVm>[]): Promise<void> {
  await createVolumeFiles(root, domain.id).writeOvfStores(vms, ({ volume = '' }) => [volume])
}

describe('verification refutes a recovery point of which', () => {
  test.each(tamperings)('%s', async (_what, change, spoilt, words) => {
    const { stage, root } = await aSecondary()
    await using _ = stage
    await change(root)
    const verification = await verified(root)
    expect(verification.verdict).toBe('refuted')
    const refuted = verification.vms.filter(({ verdict }) => verdict === 'refuted')
    expect(refuted.map(({ name }) => name)).toEqual(spoilt)
    for (const vm of refuted) expect(vm.why.join('; ')).toContain(words)
  })

  test.each<[string, (text: string) => string, string]>([
    ['the manifest claims another VM', (text) => text.replace('"name": "db"', '"name": "dc"'), 'digest'],
    ['the manifest is cut short', (text) => text.slice(0, 300), 'no JSON'],
    ['the manifest is that of another run', (text) => text, 'is that of run'],
  ])('%s', async (_what, change, words) => {
    const { stage, root } = await aSecondary()
    await using _ = stage
    const [found] = await listPoints(root)
    const file = join(root, pointsDir, `${found?.run}.json`)
    const other = words === 'is that of run' ? join(root, pointsDir, '20991231T000000Z-ffffffff.json') : file
    await writeFile(other, change(await readFile(file, 'utf8')))
    expect((await listPoints(root))[0]).toMatchObject({
      status: 'unreadable',
      why: expect.stringContaining(words),
    })
  })
})

test('without reading content, what only the content shows passes, and the rest does not', async () => {
  const { stage, root } = await aSecondary()
  await using _ = stage
  await writeFile(join(root, db.data), 'X', { flag: 'r+' })
  expect(await verified(root, { content: false })).toMatchObject({ verdict: 'proved', bytesRead: 0 })
  await truncate(join(root, db.data), 0)
  expect(await verified(root, { content: false })).toMatchObject({ verdict: 'refuted', bytesRead: 0 })
})
