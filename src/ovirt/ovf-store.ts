import { open } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { text as textOf } from 'node:stream/consumers'
import { extract } from 'tar-stream'
import { z } from 'zod'
import type { OvfStore, StoredDocuments, VmDocument, VolumeRef } from '../model/domain.ts'
import { Failure, messageOf } from '../model/errors.ts'
import { oneLine } from '../model/shown.ts'
import { documentIn } from './ovf.ts'
import { openPlain, readAt } from './read-start.ts'
import { valuesIn } from './vdsm-meta.ts'

/** What the engine gives an OVF_STORE. */
const largestBytes = 128 * 1024 * 1024

const label = z.looseObject({
  Updated: z.literal(true),
  Size: z.int().positive().max(largestBytes),
  'Last Updated': z.string(),
  'Storage Domains': z.array(z.looseObject({ uuid: z.string() })).optional(),
})

/** A store without content is one that its description does not vouch for, or whose data ends before or cannot be read. */
export async function readStore(
  file: string,
  domain: string,
  ref: VolumeRef,
  description: string,
): Promise<OvfStore> {
  const values = labelOf(description)
  const store: OvfStore = { ...ref, description, updatedAt: timeOf(values) }
  const sizeBytes = vouchedBytes(values, domain)
  if (sizeBytes === undefined) return store
  const content = await readContent(file, sizeBytes).catch(() => undefined)
  return content === undefined ? store : { ...store, content }
}

/** Writes content and description back in place, so that both files keep their inode; true when they were not so already. */
export async function putBackStore(file: string, domain: string, kept: OvfStore): Promise<boolean> {
  if (kept.content === undefined && vouchedBytes(labelOf(kept.description), domain) !== undefined)
    throw new Failure(
      `cannot put OVF_STORE ${kept.image} back: its content was not kept, and it is vouched for`,
    )
  try {
    const isWritten = [
      kept.content !== undefined && (await writeOver(file, kept.content, false)),
      await writeOver(`${file}.meta`, Buffer.from(kept.description, 'latin1'), true),
    ]
    return isWritten.includes(true)
  } catch (cause) {
    throw new Failure(`cannot put OVF_STORE ${kept.image} back as it was before the snapshots`, { cause })
  }
}

/** The documents of the newest store that is vouched for and reads, as the engine picks it (getLatestOVFDisk). */
export async function documentsIn(stores: readonly OvfStore[]): Promise<StoredDocuments> {
  const fit = stores.toSorted((a, b) => b.updatedAt - a.updatedAt)
  const flaws: string[] = []
  for (const { image, content } of fit) {
    if (content === undefined) continue
    try {
      return readDocuments(await untar(content))
    } catch (error) {
      flaws.push(`OVF_STORE ${image} cannot be read: ${messageOf(error)}`)
    }
  }
  const none =
    stores.length === 0
      ? 'the domain has no OVF_STORE'
      : 'no OVF_STORE of the domain is both marked as up to date and as long as it says'
  return { documents: [], skipped: [], flaw: flaws.length === 0 ? none : flaws.join('; ') }
}

/** Throws when the content is not the tar that the engine writes. */
async function untar(content: Buffer): Promise<Map<string, string>> {
  const members = new Map<string, string>()
  const tar = extract()
  const source = Readable.from([content])
  source.pipe(tar)
  for await (const entry of tar) members.set(entry.header.name, await textOf(entry))
  const info = members.get('info.json')
  // A tar of zeros has no members, and no error either.
  if (info === undefined) throw new Failure('it has no info.json')
  for (const name of ['info.json', 'metadata.json']) {
    if (!isJsonObject(members.get(name) ?? '{}')) throw new Failure(`its ${name} cannot be read`)
  }
  return members
}

/** One bad document costs one VM: the engine logs it and goes on. */
function readDocuments(members: ReadonlyMap<string, string>): StoredDocuments {
  const documents: VmDocument[] = []
  const skipped: string[] = []
  for (const [name, text] of members) {
    if (!name.endsWith('.ovf')) continue
    try {
      documents.push(documentIn(name, text))
    } catch (error) {
      skipped.push(`${oneLine(name, 100)}: ${messageOf(error)}`)
    }
  }
  return { documents, skipped }
}

function isJsonObject(text: string): boolean {
  return z.looseObject({}).safeParse(jsonOf(text)).success
}

/** The object within a store's description; undefined when it is cut, or no such thing. */
function labelOf(description: string): unknown {
  try {
    return jsonOf(valuesIn(description).get('DESCRIPTION') ?? '')
  } catch {
    return undefined
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** The engine passes over stores of other domains and without a date that it can read (getAllOVFDisks). */
function vouchedBytes(values: unknown, domain: string): number | undefined {
  const read = label.safeParse(values)
  if (!read.success || timeOf(values) === 0) return undefined
  const { Size, 'Storage Domains': domains } = read.data
  if (domains !== undefined && !domains.some(({ uuid }) => uuid === domain)) return undefined
  return Size
}

/** `Sat Nov 21 03:17:45 UTC 2026`, as java.util.Date prints it; a zone that nobody knows is taken for UTC. */
function timeOf(values: unknown): number {
  const read = z.looseObject({ 'Last Updated': z.string() }).safeParse(values)
  if (!read.success) return 0
  const [, day, time, zone, year] =
    /^\w{3} (\w{3} \d{1,2}) (\d{2}:\d{2}:\d{2}) (\S+) (\d{4})$/.exec(read.data['Last Updated']) ?? []
  const known = Date.parse(`${day} ${year} ${time} ${zone}`)
  const at = Number.isNaN(known) ? Date.parse(`${day} ${year} ${time} UTC`) : known
  return Number.isNaN(at) ? 0 : at
}

async function readContent(file: string, sizeBytes: number): Promise<Buffer | undefined> {
  await using handle = await openPlain(file)
  if ((await handle.stat()).size < sizeBytes) return undefined
  const content = await readAt(handle, 0, sizeBytes)
  return content.length === sizeBytes ? content : undefined
}

async function writeOver(file: string, content: Buffer, isWhole: boolean): Promise<boolean> {
  await using handle = await open(file, 'r+')
  const { size } = await handle.stat()
  const isLong = size >= content.length && (!isWhole || size === content.length)
  if (isLong && (await readAt(handle, 0, content.length)).equals(content)) return false
  // Through a handle this neither truncates nor stops half-way; reading at an offset has left the place at 0.
  await handle.writeFile(content)
  if (isWhole) await handle.truncate(content.length)
  await handle.sync()
  return true
}
