import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { judgeDomainMetadata } from '../../src/ovirt/domain-metadata.ts'
import { idOf } from '../support/domain-files.ts'

const id = idOf(1)

function sealed(changes: Record<string, string | undefined> = {}, order = (keys: string[]) => keys): string {
  const values: Record<string, string | undefined> = {
    BLOCK_SIZE: '512',
    CLASS: 'Data',
    SDUUID: id,
    VERSION: '5',
    ...changes,
  }
  const keys = Object.keys(values).filter((key) => values[key] !== undefined)
  const lines = (some: string[]) => some.map((key) => `${key}=${values[key]}`)
  const seal = createHash('sha1').update(lines(keys.toSorted()).join('')).digest('hex')
  return `${[...lines(order(keys)), `_SHA_CKSUM=${seal}`].join('\n')}\n`
}

describe('the metadata of a domain', () => {
  test.each([
    ['V5 with blocks of 512', sealed(), 512],
    ['V5 with blocks of 4096', sealed({ BLOCK_SIZE: '4096' }), 4096],
    ['V4, which names no block size', sealed({ VERSION: '4', BLOCK_SIZE: undefined }), 512],
    ['V3, which names no block size', sealed({ VERSION: '3', BLOCK_SIZE: undefined }), 512],
    ['with its lines in another order', sealed({}, (keys) => keys.toReversed()), 512],
    ['padded with zeros', sealed().padEnd(4096, '\0'), 512],
    ['with an equals sign in a value', sealed({ DESCRIPTION: 'a=b' }), 512],
  ])('%s is sound', (_name, text, blockBytes) => {
    expect(judgeDomainMetadata(text, id)).toEqual({ flaws: [], blockBytes })
  })

  test('is sealed over character references for what is not ASCII', () => {
    const ascii = `BLOCK_SIZE=512CLASS=DataDESCRIPTION=S&#252;d &#128190;SDUUID=${id}VERSION=5`
    const seal = createHash('sha1').update(ascii).digest('hex')
    const text = `BLOCK_SIZE=512\nCLASS=Data\nDESCRIPTION=Süd 💾\nSDUUID=${id}\nVERSION=5\n_SHA_CKSUM=${seal}\n`
    expect(judgeDomainMetadata(text, id).flaws).toEqual([])
  })

  test.each([
    ['of another domain', sealed({ SDUUID: idOf(2) }), [`the domain's SDUUID is ${idOf(2)}, not ${id}`]],
    ['of an ISO domain', sealed({ CLASS: 'Iso' }), ["the domain's CLASS is Iso, not Data"]],
    ['of a format between two', sealed({ VERSION: '4.5' }), ["the domain's VERSION is 4.5, not 3 to 5"]],
    ['of a newer format', sealed({ VERSION: '6' }), ["the domain's VERSION is 6, not 3 to 5"]],
    [
      'of no format',
      sealed({ VERSION: undefined }),
      expect.arrayContaining(["the domain's VERSION is missing, not 3 to 5"]),
    ],
    ['of odd blocks', sealed({ BLOCK_SIZE: '1024' }), ["the domain's BLOCK_SIZE is 1024, not 512 or 4096"]],
    [
      'of V5 without blocks',
      sealed({ BLOCK_SIZE: undefined }),
      ["the domain's BLOCK_SIZE is missing, not 512 or 4096"],
    ],
    [
      'changed after it was sealed',
      sealed().replace('VERSION=5', 'VERSION=4'),
      ["the seal of the domain's metadata is broken (_SHA_CKSUM)"],
    ],
    [
      'without its last line',
      sealed().replace(/_SHA_CKSUM.*\n/, ''),
      ["the seal of the domain's metadata is missing (_SHA_CKSUM)"],
    ],
  ])('%s is not', (_name, text, flaws) => {
    expect(judgeDomainMetadata(text, id).flaws).toEqual(flaws)
  })

  test.each([
    ['empty', ''],
    ['all zeros', '\0'.repeat(512)],
  ])('that is %s has flaws', (_name, text) => {
    expect(judgeDomainMetadata(text, id).flaws).toContain(`the domain's SDUUID is missing, not ${id}`)
  })
})
