import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Failure } from '../../src/model/errors.ts'
import { vdsmLayout } from '../../src/ovirt/vdsm-layout.ts'

const domain = '0b6a2f5e-6f2c-4d0b-9a53-5f3f0f0c7d11'
const image = '1c7b3f6e-7f3c-4e1b-8b64-6a4a1a1d8e22'
const volume = '2d8c4a7f-8a4d-4f2c-9c75-7b5b2b2e9f33'
const ids = { domain, image, volume }

function v5(changes: Record<string, string> = {}): string {
  const values = {
    CAP: '10737418240',
    CTIME: '1666082820',
    DESCRIPTION: '{"DiskAlias":"d1","DiskDescription":"VOLTYPE=INTERNAL"}',
    DISKTYPE: 'DATA',
    DOMAIN: domain,
    FORMAT: 'RAW',
    GEN: '0',
    IMAGE: image,
    LEGALITY: 'LEGAL',
    PUUID: '00000000-0000-0000-0000-000000000000',
    SEQ: '1',
    TYPE: 'SPARSE',
    VOLTYPE: 'INTERNAL',
    ...changes,
  }
  return `${Object.entries(values)
    .map(([key, value]) => `${key}=${value}\n`)
    .join('')}EOF\n`
}

const v3 = `CTIME=1 \nDOMAIN=${domain}\nFORMAT=RAW\nIMAGE=${image}\nLEGALITY=LEGAL\nMTIME=0\nSIZE=20971520\nVOLTYPE=INTERNAL\nEOF\n`

describe('the files of a volume', () => {
  it('are removed data first and description last', () => {
    const base = `${domain}/images/${image}/${volume}`
    expect(vdsmLayout.filesOf(domain, image, volume)).toEqual({
      data: base,
      inRemovalOrder: [base, `${base}.lease`, `${base}.meta`],
    })
    expect(vdsmLayout.descriptionOf(domain, image, volume)).toBe(`${base}.meta`)
    expect(vdsmLayout.directoryOf(domain, image)).toBe(`${domain}/images/${image}`)
  })

  it('are told apart from the others in an image directory', () => {
    const names = [volume, `${volume}.meta`, `${volume}.lease`, `${volume}.meta.new`, '.', '..', `.${volume}`]
    expect(vdsmLayout.volumesIn(names)).toEqual([volume])
  })

  it('are named for UUIDs only', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.constantFrom('', '..', `${volume}/..`, volume.toUpperCase(), `${volume}\n`)),
        (id) => {
          fc.pre(!/^[0-9a-f-]{36}$/.test(id))
          for (const wrong of [{ domain: id }, { image: id }, { volume: id }]) {
            const { domain: d, image: i, volume: v } = { ...ids, ...wrong }
            expect(() => vdsmLayout.filesOf(d, i, v)).toThrow(Failure)
            expect(() => vdsmLayout.descriptionOf(d, i, v)).toThrow(Failure)
          }
        },
      ),
    )
  })
})

describe('a volume description', () => {
  it.each([
    ['V5', v5()],
    ['V5 padded to a block', v5().padEnd(512, '\0')],
    ['V5 without SEQ', v5().replace('SEQ=1\n', '')],
    ['V3', v3],
    ['without a newline after EOF', v5().trimEnd()],
  ])('of format %s becomes a leaf and stays the same otherwise', (_name, text) => {
    expect(vdsmLayout.asTop(text, ids)).toBe(text.replace('\nVOLTYPE=INTERNAL\n', '\nVOLTYPE=LEAF\n'))
  })

  it('is changed in the line that vdsm reads, not where a value says the same', () => {
    const text = v5({ DESCRIPTION: 'x\rVOLTYPE=INTERNAL\rEOF' })
    expect(vdsmLayout.asTop(text, ids)).toBe(text.replace('\nVOLTYPE=INTERNAL\n', '\nVOLTYPE=LEAF\n'))
  })

  it('of a leaf stays as it is', () => {
    expect(vdsmLayout.asTop(v5({ VOLTYPE: 'LEAF' }), ids)).toBe(v5({ VOLTYPE: 'LEAF' }))
  })

  it.each([
    ['of a template', v5({ VOLTYPE: 'SHARED' }), 'VOLTYPE is SHARED'],
    ['of an illegal volume', v5({ LEGALITY: 'ILLEGAL' }), 'LEGALITY is ILLEGAL'],
    ['of a placeholder', v5({ LEGALITY: 'FAKE' }), 'LEGALITY is FAKE'],
    ['of another domain', v5({ DOMAIN: image }), 'DOMAIN is'],
    ['of another image', v5({ IMAGE: domain }), 'IMAGE is'],
    ['with a key twice', v5().replace('GEN=0\n', 'GEN=0\nVOLTYPE=LEAF\n'), 'VOLTYPE twice'],
    ['that was cut off', v5().slice(0, -40), 'no line EOF'],
    [
      'with only a later VOLTYPE',
      `${v5().replace('VOLTYPE=INTERNAL\n', '')}VOLTYPE=INTERNAL\n`,
      'VOLTYPE is missing',
    ],
    ['that is empty', '', 'no line EOF'],
    ['that is nothing but zeros', '\0'.repeat(512), 'no line EOF'],
  ])('%s is refused', (_name, text, why) => {
    expect(() => vdsmLayout.asTop(text, ids)).toThrow(Failure)
    expect(() => vdsmLayout.asTop(text, ids)).toThrow(why)
  })

  it('that is anything at all is either refused or a leaf afterwards', () => {
    const lines = fc.constantFrom(
      'EOF',
      'VOLTYPE=INTERNAL',
      'VOLTYPE=LEAF',
      `DOMAIN=${domain}`,
      `IMAGE=${image}`,
      'LEGALITY=LEGAL',
      'X',
    )
    fc.assert(
      fc.property(fc.array(fc.oneof(lines, fc.string())), (some) => {
        let text: string
        try {
          text = vdsmLayout.asTop(some.join('\n'), ids)
        } catch (error) {
          expect(error).toBeInstanceOf(Failure)
          return
        }
        expect(text).toMatch(/^VOLTYPE=LEAF$/m)
      }),
      { numRuns: 500 },
    )
  })
})
