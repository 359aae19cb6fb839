import { createHash } from 'node:crypto'
import { oneLine } from '../model/shown.ts'

const seal = '_SHA_CKSUM'
const oldest = 3
const newest = 5

/** What is wrong with the text of `dom_md/metadata`, and the block size that it was made for. */
export function judgeDomainMetadata(text: string, domain: string): { flaws: string[]; blockBytes?: number } {
  const values = valuesIn(text)
  const flaws: string[] = []
  const wanted = (key: string, value: string): void => {
    const found = values.get(key)
    if (found !== value) flaws.push(`the domain's ${key} is ${told(found)}, not ${value}`)
  }
  wanted('SDUUID', domain)
  wanted('CLASS', 'Data')
  const version = Number(/^\d{1,3}$/.exec(values.get('VERSION') ?? '')?.[0])
  if (!(version >= oldest && version <= newest))
    flaws.push(`the domain's VERSION is ${told(values.get('VERSION'))}, not ${oldest} to ${newest}`)
  // vdsm trusts metadata without a seal (persistent.py), but writes none: its last line is lost.
  if (!values.has(seal)) flaws.push(`the seal of the domain's metadata is missing (${seal})`)
  else if (values.get(seal) !== sealOf(values))
    flaws.push(`the seal of the domain's metadata is broken (${seal})`)
  // Formats before V5 have none and mean 512.
  const blockSize = values.get('BLOCK_SIZE') ?? (version < newest ? '512' : 'missing')
  if (blockSize === '512' || blockSize === '4096') return { flaws, blockBytes: Number(blockSize) }
  return { flaws: [...flaws, `the domain's BLOCK_SIZE is ${told(blockSize)}, not 512 or 4096`] }
}

function told(value: string | undefined): string {
  return oneLine(value ?? '', 60) || 'missing'
}

function valuesIn(text: string): Map<string, string> {
  const lines = text.replace(/\0+$/, '').split('\n')
  const pairs = lines.filter((line) => line.includes('='))
  return new Map(
    pairs.map((line) => [line.slice(0, line.indexOf('=')).trim(), line.slice(line.indexOf('=') + 1)]),
  )
}

/** Over the lines sorted by key, nothing between them, what is not ASCII as XML character references (persistent.py). */
function sealOf(values: ReadonlyMap<string, string>): string {
  const keys = [...values.keys()].filter((key) => key !== seal).toSorted()
  const lines = keys.map((key) => `${key}=${values.get(key)}`).join('')
  const ascii = lines.replace(/[^\0-\x7f]/gu, (one) => `&#${one.codePointAt(0)};`)
  return createHash('sha1').update(ascii).digest('hex')
}
