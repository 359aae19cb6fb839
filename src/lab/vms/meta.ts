import { createHash } from 'node:crypto'

/** A volume's `.meta` of domain format V5, by key. */
export type VolumeMeta = Record<string, string>

export const noParent = '00000000-0000-0000-0000-000000000000'

/** vdsm's text of a `.meta`: sorted KEY=VALUE lines, then EOF; at most 512 bytes or it throws. */
export function formatMeta(meta: VolumeMeta): string {
  const text = `${[...sortedLines(meta), 'EOF'].join('\n')}\n`
  if (Buffer.byteLength(text) > 512) throw new Error(`volume metadata takes more than 512 bytes: ${text}`)
  return text
}

export function parseMeta(text: string): VolumeMeta {
  const meta: VolumeMeta = {}
  for (const line of text.split('\n')) {
    if (line === 'EOF') return meta
    const equals = line.indexOf('=')
    if (equals > 0) meta[line.slice(0, equals)] = line.slice(equals + 1)
  }
  throw new Error('volume metadata without its EOF line')
}

/** The text of `dom_md/metadata` with its seal: SHA-1 over the sorted lines, joined without anything between. */
export function formatDomainMetadata(metadata: Record<string, string>): string {
  const lines = sortedLines(metadata)
  const seal = createHash('sha1').update(lines.join('')).digest('hex')
  return `${[...lines, `_SHA_CKSUM=${seal}`].join('\n')}\n`
}

function sortedLines(values: Record<string, string>): string[] {
  return Object.keys(values)
    .sort()
    .map((key) => `${key}=${values[key]}`)
}

/** Format V5 of a domain on Gluster with 512-byte blocks, attached to a data centre as a regular domain. */
export function domainMetadata(domain: {
  id: string
  pool: string
  description: string
  remotePath: string
}): Record<string, string> {
  return {
    ALIGNMENT: '1048576',
    BLOCK_SIZE: '512',
    CLASS: 'Data',
    DESCRIPTION: domain.description,
    IOOPTIMEOUTSEC: '10',
    LEASERETRIES: '3',
    LEASETIMESEC: '60',
    LOCKPOLICY: '',
    LOCKRENEWALINTERVALSEC: '5',
    POOL_UUID: domain.pool,
    REMOTE_PATH: domain.remotePath,
    ROLE: 'Regular',
    SDUUID: domain.id,
    TYPE: 'GLUSTERFS',
    VERSION: '5',
  }
}
