import assert from 'node:assert/strict'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { pack } from 'tar-stream'
import { chainOf } from '../../src/ovirt/chain.ts'
import { judgeDomainMetadata } from '../../src/ovirt/domain-metadata.ts'
import { idsIn } from '../../src/ovirt/named-ids.ts'
import { documentIn } from '../../src/ovirt/ovf.ts'
import { documentsIn, readStore } from '../../src/ovirt/ovf-store.ts'
import { readQcow2Header } from '../../src/ovirt/qcow2-header.ts'
import { examineImage } from '../../src/ovirt/vdsm-image.ts'
import { vdsmLayout } from '../../src/ovirt/vdsm-layout.ts'
import { describedIn, valuesIn } from '../../src/ovirt/vdsm-meta.ts'
import { capacity, domainId, idOf, noParent, ovf, plain, qcow2, vms } from '../support/domain-files.ts'
import { likeBytes, likeText } from './hostile.ts'
import { checkAmount, checkLine, checkUuid, type Parser, parser } from './parser.ts'
import { aPlace } from './place.ts'

const at = { domain: domainId, ...plain }

function metaOf(values: Record<string, string>): string {
  const all = {
    CAP: String(capacity),
    CTIME: '1700000000',
    DESCRIPTION: '{"DiskAlias":"a","DiskDescription":"b"}',
    DISKTYPE: 'DATA',
    DOMAIN: domainId,
    FORMAT: 'RAW',
    GEN: '0',
    IMAGE: at.image,
    LEGALITY: 'LEGAL',
    PUUID: noParent,
    TYPE: 'SPARSE',
    VOLTYPE: 'LEAF',
    ...values,
  }
  const lines = Object.entries(all).map(([key, value]) => `${key}=${value}\n`)
  return `${lines.join('')}EOF\n`
}

const tar = await tarOf({
  'info.json': '{}',
  'metadata.json': JSON.stringify({ 'VM Status': { [vms.web]: 1 } }),
  [`${vms.web}.ovf`]: ovf('web', [plain]),
  [`${vms.db}.ovf`]: ovf('db', []),
})
const label = {
  Updated: true,
  Size: tar.length,
  'Last Updated': 'Sat Nov 21 03:17:45 UTC 2026',
  'Storage Domains': [{ uuid: domainId }],
  'Disk Description': 'OVF_STORE',
}
const storeMeta = metaOf({ DISKTYPE: 'OVFS', DESCRIPTION: JSON.stringify(label) })
const leaf = metaOf({})
const internal = metaOf({ VOLTYPE: 'INTERNAL', PUUID: idOf(12), FORMAT: 'COW' })
const blocks = metaOf({ SIZE: '2048' }).replace(/CAP=.*\n/, '')
const meta = likeText(leaf, internal, blocks, storeMeta, leaf.padEnd(512, '\0'))
const document = ovf('web', [plain], [ovf('old', [plain])])
const deep = `<ovf:Envelope xmlns:ovf="x"><Content><Name>a</Name></Content>${'<a>'.repeat(4000)}${'</a>'.repeat(4000)}</ovf:Envelope>`
const metadata = `BLOCK_SIZE=512\nCLASS=Data\nSDUUID=${domainId}\nVERSION=5\n_SHA_CKSUM=${'0'.repeat(40)}\n`
const header = likeBytes(
  qcow2({ backing: idOf(12) }).subarray(0, 1024),
  qcow2({ version: 2 }).subarray(0, 72),
)

async function tarOf(members: Record<string, string>): Promise<Buffer> {
  const packed = pack()
  for (const [name, content] of Object.entries(members)) packed.entry({ name }, content)
  packed.finalize()
  const chunks: Buffer[] = []
  for await (const chunk of packed) chunks.push(Buffer.from(chunk as Uint8Array))
  return Buffer.concat(chunks)
}

/** A file that is in memory only. */
function fileOf(content: Buffer): Parameters<typeof readQcow2Header>[0] {
  const read = async (buffer: Buffer, offset: number, length: number, position: number) => ({
    bytesRead: content.subarray(position, position + length).copy(buffer, offset),
    buffer,
  })
  return { read } as unknown as Parameters<typeof readQcow2Header>[0]
}

export const domainParsers: Parser[] = [
  parser('description of a volume', {
    input: meta,
    read: (text) => describedIn(text, at),
    holds: (found) => {
      checkAmount(found.capacityBytes)
      checkUuid(found.home)
      if (found.parent !== undefined) checkUuid(found.parent)
      checkLine(found.legality)
    },
  }),
  parser('description made that of a top', {
    input: meta,
    read: (text) => ({ before: valuesIn(text), after: valuesIn(vdsmLayout.asTop(text, at)) }),
    holds: ({ before, after }) => assert.deepEqual(after, new Map([...before, ['VOLTYPE', 'LEAF']])),
  }),
  parser('chain of descriptions', {
    input: fc.array(fc.tuple(meta, fc.integer({ min: 11, max: 14 })), { maxLength: 5 }),
    read: (some) => {
      const facts = some.map(([text, number]) => ({
        ...describedIn(text, { ...at, volume: idOf(number) }),
        fileBytes: 0,
      }))
      return chainOf(at.image, facts)
    },
    holds: ({ flaws }) => flaws.forEach(checkLine),
  }),
  parser('names in an image directory', {
    input: fc.array(likeText(plain.volume, `${plain.volume}.meta`, `${plain.volume}.lease`)),
    read: (names) => vdsmLayout.volumesIn(names),
    refusal: 'none',
    holds: (volumes) => volumes.forEach(checkUuid),
  }),
  parser('metadata of a domain', {
    input: likeText(metadata),
    read: (text) => judgeDomainMetadata(text, domainId),
    refusal: 'none',
    holds: ({ flaws, blockBytes }) => {
      flaws.forEach(checkLine)
      assert.ok([undefined, 512, 4096].includes(blockBytes))
    },
  }),
  parser('document of a VM', {
    input: fc.tuple(likeText(`${vms.web}.ovf`), likeText(document, deep)),
    read: ([member, text]) => documentIn(member, text),
    holds: ({ id, name, volumes }) => {
      checkUuid(id)
      if (name !== '') checkLine(name)
      for (const one of volumes) for (const part of [one.image, one.volume]) checkUuid(part)
    },
  }),
  parser('text of a document', {
    input: likeText(document, deep),
    read: (text) => documentIn(`${vms.web}.ovf`, text),
    holds: ({ volumes }) => {
      for (const one of volumes) for (const part of [one.image, one.volume]) checkUuid(part)
    },
  }),
  parser('content of an OVF_STORE', {
    input: likeBytes(tar),
    read: (content) => documentsIn([{ ...plain, description: storeMeta, content, updatedAt: 1 }]),
    refusal: 'none',
    holds: ({ documents, skipped, flaw }) => {
      for (const { id } of documents) checkUuid(id)
      for (const line of skipped) checkLine(line)
      if (flaw !== undefined) checkLine(flaw)
    },
  }),
  parser('description of an OVF_STORE', {
    input: likeText(storeMeta),
    read: async (text) => {
      const file = aPlace('store')
      await writeFile(file, tar)
      return readStore(file, domainId, plain, text)
    },
    refusal: 'none',
    holds: ({ updatedAt, content }) => {
      assert.ok(Number.isSafeInteger(updatedAt))
      assert.ok(content === undefined || content.length <= tar.length)
    },
  }),
  parser('ids named in a text', {
    input: likeText(document, tar.toString('latin1')),
    read: (text) => idsIn(text),
    refusal: 'none',
    holds: (found) => found.forEach(checkUuid),
  }),
  parser('header of a qcow2 file', {
    input: header,
    read: (content) => readQcow2Header(fileOf(content)),
    holds: ({ backing, leastFileBytes }) => {
      checkAmount(leastFileBytes)
      if (backing !== undefined) assert.ok(backing.length <= 1023)
    },
  }),
  parser('image directory', {
    input: fc.tuple(meta, header, likeText(plain.volume, `${idOf(12)}.meta`, 'x.meta')),
    read: async ([text, content, name]) => {
      const dir = aPlace(at.image)
      await rm(dir, { recursive: true, force: true })
      await mkdir(dir)
      await writeFile(join(dir, plain.volume), content)
      await writeFile(join(dir, `${plain.volume}.meta`), text, 'latin1')
      const odd = name.replaceAll(/[/\0]/g, '_').slice(0, 80)
      if (!['', '.', '..'].includes(odd)) await writeFile(join(dir, odd), text, 'latin1')
      return examineImage(dir, domainId, at.image)
    },
    refusal: 'none',
    holds: ({ volumes, flaws }) => {
      flaws.forEach(checkLine)
      for (const volume of volumes) {
        checkUuid(volume.volume)
        checkAmount(volume.capacityBytes)
      }
    },
  }),
]
