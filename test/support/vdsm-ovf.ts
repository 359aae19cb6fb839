import { createReadStream } from 'node:fs'
import { text } from 'node:stream/consumers'
import { XMLParser, XMLValidator } from 'fast-xml-parser'
import { extract } from 'tar-stream'
import type { VolumeMeta } from './vdsm-meta.ts'

/** What a VM's document in an OVF_STORE asks for when the VM starts. */
export interface OvfDocument {
  vm: string
  name: string
  /** The active volume of every image; `domain` where the document tells it. */
  disks: { image: string; volume: string; domain: string | undefined }[]
}

export interface OvfStore {
  path: string
  meta: VolumeMeta
}

/** The documents of the newest store that says it is up to date and can be read; undefined if there is none. */
export async function newestDocuments(
  stores: readonly OvfStore[],
): Promise<Map<string, OvfDocument | string> | undefined> {
  const vouched = stores
    .flatMap(({ path, meta }) => {
      const { updated, size, at } = descriptionOf(meta['DESCRIPTION'] ?? '')
      return updated && size > 0 ? [{ path, size, at }] : []
    })
    .sort((a, b) => b.at - a.at)
  for (const { path, size } of vouched) {
    const members = await membersOf(path, size).catch(() => undefined)
    if (members) return documentsIn(members)
  }
  return undefined
}

function descriptionOf(description: string): { updated: boolean; size: number; at: number } {
  try {
    const told = JSON.parse(description) as Record<string, unknown>
    const at = Date.parse(String(told['Last Updated']))
    return { updated: told['Updated'] === true, size: Number(told['Size']), at: Number.isNaN(at) ? 0 : at }
  } catch {
    return { updated: false, size: 0, at: 0 }
  }
}

async function membersOf(path: string, size: number): Promise<Map<string, string>> {
  const tar = extract()
  const members = new Map<string, string>()
  const source = createReadStream(path, { end: size - 1 })
  source.on('error', (error) => tar.destroy(error))
  source.pipe(tar)
  for await (const entry of tar) members.set(entry.header.name, await text(entry))
  if (members.size === 0) throw new Error('an empty tar')
  return members
}

/** By VM; a text instead of a document says why it cannot be read. */
function documentsIn(members: ReadonlyMap<string, string>): Map<string, OvfDocument | string> {
  const documents = [...members].filter(([name]) => name.endsWith('.ovf'))
  return new Map(
    documents.map(([name, xml]) => {
      const vm = name.slice(0, -'.ovf'.length)
      return [vm, readDocument(vm, xml)]
    }),
  )
}

type Node = Record<string, unknown>

const parser = new XMLParser({
  ignoreAttributes: false,
  attributeNamePrefix: '@',
  removeNSPrefix: true,
  parseTagValue: false,
  parseAttributeValue: false,
})

function readDocument(vm: string, xml: string): OvfDocument | string {
  const valid = XMLValidator.validate(xml)
  if (valid !== true) return `its document is no XML: ${valid.err.msg}`
  const root = parser.parse(xml) as Node
  const active = elements(root, 'Snapshot').find((each) => each['Type'] === 'ACTIVE')?.['@id']
  const domains = new Map(
    elements(root, 'Item').map((item) => [String(item['HostResource']), String(item['StorageId'])]),
  )
  const disks = elements(root, 'Disk').map((disk) => ({
    path: String(disk['@fileRef']),
    parent: String(disk['@parentRef'] ?? ''),
    snapshot: disk['@vm_snapshot_id'],
  }))
  const parents = new Set(disks.map(({ parent }) => parent))
  const isActive = (disk: (typeof disks)[number]) =>
    active === undefined ? !parents.has(disk.path) : disk.snapshot === active
  const named = disks.filter(isActive).map(({ path }) => {
    const [image = '', volume = ''] = path.split('/')
    return { image, volume, domain: domains.get(path) }
  })
  const name = String(elements(root, 'Content')[0]?.['Name'] ?? '')
  return { vm, name, disks: named }
}

/** Every element of a name, wherever it stands. */
function elements(node: unknown, name: string): Node[] {
  if (typeof node !== 'object' || node === null) return []
  if (Array.isArray(node)) return node.flatMap((each) => elements(each, name))
  return Object.entries(node).flatMap(([key, value]) => {
    const below = elements(value, name)
    if (key !== name) return below
    return [...(Array.isArray(value) ? value : [value]).map((each) => each as Node), ...below]
  })
}
