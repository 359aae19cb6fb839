import { createHash } from 'node:crypto'

/** A volume's `.meta` by key. */
export type VolumeMeta = Readonly<Record<string, string>>

const needed = ['DOMAIN', 'IMAGE', 'PUUID', 'FORMAT', 'TYPE', 'VOLTYPE', 'LEGALITY', 'DISKTYPE', 'CTIME']
const allowed: Readonly<Record<string, readonly string[]>> = {
  FORMAT: ['RAW', 'COW'],
  TYPE: ['SPARSE', 'PREALLOCATED'],
  VOLTYPE: ['LEAF', 'INTERNAL', 'SHARED'],
  LEGALITY: ['LEGAL', 'ILLEGAL', 'FAKE'],
}

/** Reads a `.meta` as vdsm does, up to its EOF line; a text says what is wrong with it. */
export function readVolumeMeta(text: string): VolumeMeta | string {
  const meta: Record<string, string> = {}
  for (const line of text.replace(/\0+$/, '').split('\n')) {
    if (line.startsWith('EOF')) break
    if (line === '') continue
    const [key = '', ...value] = line.split('=')
    if (value.length === 0) return `a line without "=": ${line.slice(0, 40)}`
    meta[key] = value.join('=')
  }
  const missing = needed.filter((key) => meta[key] === undefined)
  if (meta['CAP'] === undefined && meta['SIZE'] === undefined) missing.push('CAP')
  if (missing.length > 0) return `no ${missing.join(', ')}`
  const odd = Object.entries(allowed).find(([key, values]) => !values.includes(meta[key] ?? ''))
  return odd ? `${odd[0]} is ${meta[odd[0]]}` : meta
}

/** The virtual size in bytes: SIZE of older domains counts blocks of 512. */
export function capacityOf(meta: VolumeMeta): number {
  return meta['CAP'] === undefined ? Number(meta['SIZE']) * 512 : Number(meta['CAP'])
}

/** What keeps vdsm from taking `dom_md/metadata` for that of this domain. */
export function flawsOfDomain(text: string, domain: string): string[] {
  const lines = text
    .replace(/\0+$/, '')
    .split('\n')
    .filter((line) => line !== '')
  const value = (key: string) => lines.find((line) => line.startsWith(`${key}=`))?.slice(key.length + 1)
  const sealed = lines.filter((line) => !line.startsWith('_SHA_CKSUM='))
  const seal = createHash('sha1').update(sealed.sort().join('')).digest('hex')
  const version = Number(value('VERSION'))
  return [
    ...(value('_SHA_CKSUM') === seal ? [] : ['the seal of dom_md/metadata is broken']),
    ...(value('SDUUID') === domain ? [] : [`dom_md/metadata is of domain ${value('SDUUID')}`]),
    ...(value('CLASS') === 'Data' ? [] : [`dom_md/metadata is of class ${value('CLASS')}`]),
    ...(version >= 3 && version <= 5 ? [] : [`dom_md/metadata is of version ${value('VERSION')}`]),
    ...(version < 5 || ['512', '4096'].includes(value('BLOCK_SIZE') ?? '') ? [] : ['no usable BLOCK_SIZE']),
  ]
}
