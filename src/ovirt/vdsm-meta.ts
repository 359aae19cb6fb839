import { z } from 'zod'
import type { VolumeFacts } from '../model/domain.ts'
import { Failure } from '../model/errors.ts'
import { uuid } from '../model/names.ts'
import { oneLine, shown } from '../model/shown.ts'

const noParent = '00000000-0000-0000-0000-000000000000'
const blockBytes = 512

/** The values of a `.meta` by key; throws Failure, saying why the text is none. */
export function valuesIn(text: string): Map<string, string> {
  // vdsm stops reading at the line EOF; what follows it is padding (volumemetadata.py).
  const lines = text.split('\n')
  const end = lines.findIndex((line) => /^EOF(\0|$)/.test(line))
  if (end < 0) throw new Failure('it has no line EOF')
  const values = new Map<string, string>()
  for (const line of lines.slice(0, end)) {
    const cut = line.indexOf('=')
    if (cut < 1) throw new Failure('it has a line that is not KEY=VALUE')
    const key = line.slice(0, cut)
    if (values.has(key)) throw new Failure(`it has ${oneLine(key, 60)} twice`)
    values.set(key, line.slice(cut + 1))
  }
  return values
}

/** A volume as its description tells it. */
export interface Described extends Omit<VolumeFacts, 'fileBytes'> {
  /** The image it was made for: not the one it lies in where a disk stands on a template. */
  home: string
  legality: string
  isOvfStore: boolean
}

const roles = { LEAF: 'top', INTERNAL: 'internal', SHARED: 'shared' } as const
const formats = { RAW: 'raw', COW: 'cow' } as const
const types = { SPARSE: 'sparse', PREALLOCATED: 'preallocated' } as const

/** Reads the `.meta` of a volume, format V3 to V5; throws Failure, saying why it is not the description of this volume. */
export function describedIn(text: string, at: { domain: string; image: string; volume: string }): Described {
  const values = new Map([...valuesIn(text)].map(([key, value]) => [key, value.trim()]))
  const role = oneOf(roles, values, 'VOLTYPE')
  const home = values.get('IMAGE') ?? 'missing'
  if (values.get('DOMAIN') !== at.domain)
    throw new Failure(`its DOMAIN is ${told(values, 'DOMAIN')}, not ${at.domain}`)
  // A template's volume is hard-linked into the images made from it, with its .meta (fileVolume._share).
  if (home !== at.image && !(role === 'shared' && uuid.test(home)))
    throw new Failure(`its IMAGE is ${told(values, 'IMAGE')}, not ${at.image}`)
  const parent = values.get('PUUID')
  if (parent === undefined || !uuid.test(parent))
    throw new Failure(`its PUUID is ${told(values, 'PUUID')}, which is no UUID`)
  oneOf(types, values, 'TYPE')
  checkTheRest(values)
  const legality = oneLine(values.get('LEGALITY') ?? '', 60) || 'of no LEGALITY'
  return {
    volume: at.volume,
    home,
    ...(parent === noParent ? {} : { parent }),
    role,
    format: oneOf(formats, values, 'FORMAT'),
    legal: legality === 'LEGAL',
    legality,
    capacityBytes: capacityIn(values),
    isOvfStore: isOvfStore(values),
  }
}

const storeLabel = z.looseObject({
  'Disk Description': z.literal('OVF_STORE'),
  'Storage Domains': z.array(z.unknown()),
})

/** Engines before 4.2 wrote no DISKTYPE=OVFS; engines of any age know their stores by the description. */
export function isOvfStore(values: ReadonlyMap<string, string>): boolean {
  if (values.get('DISKTYPE') === 'OVFS') return true
  try {
    return storeLabel.safeParse(JSON.parse(values.get('DESCRIPTION') ?? '')).success
  } catch {
    return false
  }
}

/** What vdsm insists on and nothing here needs (ATTRIBUTES in volumemetadata.py). */
function checkTheRest(values: ReadonlyMap<string, string>): void {
  for (const key of ['DESCRIPTION', 'DISKTYPE', 'LEGALITY', 'CTIME']) {
    if (!values.has(key)) throw new Failure(`its ${key} is missing`)
  }
  for (const key of ['CTIME', 'GEN', 'SEQ']) {
    const found = values.get(key) ?? '0'
    if (!/^-?\d+$/.test(found)) throw new Failure(`its ${key} is ${shown(found)}, which is no number`)
  }
}

function oneOf<T extends string>(
  words: Record<string, T>,
  values: ReadonlyMap<string, string>,
  key: string,
): T {
  const found = values.get(key) ?? ''
  const meaning = Object.hasOwn(words, found) ? words[found] : undefined
  if (meaning !== undefined) return meaning
  throw new Failure(`its ${key} is ${told(values, key)}, not ${Object.keys(words).join(' or ')}`)
}

/** What stands there, for people. */
function told(values: ReadonlyMap<string, string>, key: string): string {
  return oneLine(values.get(key) ?? '', 60) || 'missing'
}

/** V5 tells bytes as CAP; V4 and older blocks as SIZE. */
function capacityIn(values: ReadonlyMap<string, string>): number {
  const key = values.has('CAP') ? 'CAP' : 'SIZE'
  const amount = values.get(key) ?? ''
  const bytes = Number(amount) * (key === 'CAP' ? 1 : blockBytes)
  if (/^\d+$/.test(amount) && Number.isSafeInteger(bytes)) return bytes
  throw new Failure(
    `its ${key === 'CAP' ? 'CAP' : 'size'} is ${told(values, key)}, which is no number of bytes`,
  )
}
