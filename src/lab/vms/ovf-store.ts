import { buffer } from 'node:stream/consumers'
import { pack } from 'tar-stream'
import type { OvfStoreContent } from '../vm-host.ts'

/** The engine makes every OVF_STORE disk this large. */
export const ovfStoreBytes = 16 * 2 ** 20

/** The tar of an OVF_STORE, members in the order given. */
export async function ovfTar({ members, at }: OvfStoreContent): Promise<Buffer> {
  const tar = pack()
  for (const { name, content } of members) tar.entry({ name, mtime: at }, content)
  tar.finalize()
  return buffer(tar)
}

/** The JSON which the engine keeps in the DESCRIPTION of an OVF_STORE; without `sizeBytes` it is not up to date. */
export function ovfDescription(store: {
  domain: string
  lastUpdated: string | null
  sizeBytes?: number
}): string {
  return JSON.stringify({
    Updated: store.sizeBytes !== undefined,
    ...(store.sizeBytes !== undefined && { Size: store.sizeBytes }),
    'Last Updated': store.lastUpdated,
    'Storage Domains': [{ uuid: store.domain }],
    'Disk Description': 'OVF_STORE',
  })
}

/** When a store was last updated, by its own description. */
export function lastUpdatedIn(description: string): string | null {
  if (!description.startsWith('{')) return null
  const { 'Last Updated': at } = JSON.parse(description) as { 'Last Updated'?: string | null }
  return at ?? null
}

/** A date as `java.util.Date` prints it, which is the engine's form here. */
export function javaDate(at: Date): string {
  const [day, date, month, year] = at.toUTCString().replace(',', '').split(' ')
  return `${day} ${month} ${date} ${at.toUTCString().slice(17, 25)} UTC ${year}`
}
