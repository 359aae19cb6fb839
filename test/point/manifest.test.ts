import { gzipSync } from 'node:zlib'
import { Ajv2020 } from 'ajv/dist/2020.js'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import schema from '../../src/point/manifest.schema.json' with { type: 'json' }
import {
  manifestSchema,
  packOvf,
  type RecoveryPoint,
  readPoint,
  sealPoint,
  unpackOvf,
} from '../../src/point/manifest.ts'
import { aPoint, aPointVm } from './a-point.ts'

test('the schema in the repository is what the reader demands', async () => {
  // `vitest -u` writes it again after a change.
  const text = `${JSON.stringify(manifestSchema(), null, 2)}\n`
  await expect(text).toMatchFileSnapshot('../../src/point/manifest.schema.json')
})

describe('a sealed manifest', () => {
  test('is read as it was written', () => {
    expect(readPoint(sealPoint(aPoint()), 'x.json')).toEqual(aPoint())
  })

  test('is as the published schema says', () => {
    const validate = new Ajv2020({ strictTypes: false, validateFormats: false }).compile(schema)
    expect(validate(JSON.parse(sealPoint(aPoint()))) ? [] : validate.errors).toEqual([])
    expect(validate({ ...JSON.parse(sealPoint(aPoint())), version: 2 })).toBe(false)
  })

  test('does not depend on the order of its keys', () => {
    const sealed = JSON.parse(sealPoint(aPoint()))
    sealed.point = Object.fromEntries(Object.entries(sealed.point).toReversed())
    expect(readPoint(JSON.stringify(sealed), 'x.json')).toEqual(aPoint())
  })

  test('is refused after any change of a word in it', () => {
    const sealed = sealPoint(aPoint({ vms: [aPointVm({ state: 'failed', why: 'torn' })] }))
    for (const [word, other] of [
      ['"failed"', '"protected"'],
      ['01:00:10', '01:00:11'],
      ['gs1', 'gs2'],
      ['torn', 'fine'],
    ] as const) {
      expect(sealed).toContain(word)
      expect(() => readPoint(sealed.replace(word, other), 'x.json')).toThrow(
        'the manifest x.json cannot be trusted: its content does not match its digest',
      )
    }
  })

  test('is refused when any byte of it is lost', () => {
    const sealed = sealPoint(aPoint())
    fc.assert(
      fc.property(fc.integer({ min: 0, max: sealed.length - 2 }), (end) => {
        expect(() => readPoint(sealed.slice(0, end), 'x.json')).toThrow('it is no JSON')
      }),
    )
  })

  test('is refused when it is whole and says something else than a manifest', () => {
    expect(() => readPoint('{}', 'x.json')).toThrow('cannot be trusted')
    const more = { ...aPoint(), more: 1 } as RecoveryPoint
    expect(() => readPoint(sealPoint(more), 'x.json')).toThrow('more')
  })
})

test('a document is unpacked as it was packed, and not when it was changed', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (text) => {
      expect(unpackOvf(packOvf(text))).toBe(text)
    }),
  )
  expect(() => unpackOvf({ ...packOvf('a'), gzip: packOvf('b').gzip })).toThrow('does not match its digest')
})

test('a document that is no gzip, or unpacks to more than the engine writes, is refused', () => {
  const bomb = Buffer.concat(Array(9).fill(gzipSync(Buffer.alloc(16 * 1024 * 1024))))
  for (const gzip of ['AAAA', '', bomb.toString('base64')])
    expect(() => unpackOvf({ ...packOvf('a'), gzip })).toThrow(
      /^the document of a VM in the manifest cannot be unpacked: /,
    )
})
