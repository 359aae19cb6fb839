import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Failure } from '../../src/model/errors.ts'
import { describedIn } from '../../src/ovirt/vdsm-meta.ts'
import { idOf, noParent } from '../support/domain-files.ts'

const at = { domain: idOf(1), image: idOf(2), volume: idOf(3) }

function meta(changes: Record<string, string | undefined> = {}): string {
  const values: Record<string, string | undefined> = {
    CAP: '1048576',
    CTIME: '1700000000',
    DESCRIPTION: '{"DiskAlias":"a"}',
    DISKTYPE: 'DATA',
    DOMAIN: at.domain,
    FORMAT: 'RAW',
    GEN: '0',
    IMAGE: at.image,
    LEGALITY: 'LEGAL',
    PUUID: noParent,
    SEQ: '1',
    TYPE: 'SPARSE',
    VOLTYPE: 'LEAF',
    ...changes,
  }
  const lines = Object.entries(values).filter(([, value]) => value !== undefined)
  return `${lines.map(([key, value]) => `${key}=${value}\n`).join('')}EOF\n`
}

describe('the description of a volume', () => {
  test('of format V5 tells what the volume is', () => {
    expect(describedIn(meta({ FORMAT: 'COW', PUUID: idOf(4), VOLTYPE: 'INTERNAL' }), at)).toEqual({
      volume: at.volume,
      home: at.image,
      parent: idOf(4),
      role: 'internal',
      format: 'cow',
      legal: true,
      legality: 'LEGAL',
      capacityBytes: 1_048_576,
      isOvfStore: false,
    })
  })

  test('of format V4 tells its size in blocks, and pads values', () => {
    const text = meta({ CAP: undefined, SEQ: undefined, SIZE: '2048', MTIME: '0', CTIME: '1700000000 ' })
    expect(describedIn(text, at).capacityBytes).toBe(1_048_576)
  })

  test('may be padded with zeros to a block', () => {
    expect(describedIn(meta().padEnd(512, '\0'), at).role).toBe('top')
  })

  test('of a template names the image that the template was made in', () => {
    expect(describedIn(meta({ VOLTYPE: 'SHARED', IMAGE: idOf(9) }), at).home).toBe(idOf(9))
  })

  test.each([
    ['a DISKTYPE', { DISKTYPE: 'OVFS' }],
    [
      'its label, before engine 4.2',
      { DISKTYPE: '2', DESCRIPTION: '{"Updated":true,"Storage Domains":[],"Disk Description":"OVF_STORE"}' },
    ],
  ])('tells an OVF_STORE by %s', (_name, changes) => {
    expect(describedIn(meta(changes), at).isOvfStore).toBe(true)
  })

  test('of a disk that somebody called OVF_STORE is no store', () => {
    const text = meta({ DESCRIPTION: '{"DiskAlias":"OVF_STORE","DiskDescription":"OVF_STORE"}' })
    expect(describedIn(text, at).isOvfStore).toBe(false)
  })

  test.each([
    ['that was cut off', meta().slice(0, -20), 'no line EOF'],
    ['that is empty', '', 'no line EOF'],
    ['that is all zeros', '\0'.repeat(512), 'no line EOF'],
    ['with a key twice', meta().replace('GEN=0\n', 'GEN=0\nGEN=1\n'), 'it has GEN twice'],
    ['with a line that is none', meta().replace('GEN=0', 'GEN'), 'not KEY=VALUE'],
    ['of another domain', meta({ DOMAIN: idOf(9) }), `its DOMAIN is ${idOf(9)}, not ${at.domain}`],
    ['of another image', meta({ IMAGE: idOf(9) }), `its IMAGE is ${idOf(9)}, not ${at.image}`],
    ['with a parent that is no id', meta({ PUUID: '../x' }), 'its PUUID is ../x, which is no UUID'],
    ['without a parent', meta({ PUUID: undefined }), 'its PUUID is missing'],
    ['with an unknown role', meta({ VOLTYPE: 'TOP' }), 'its VOLTYPE is TOP, not LEAF or INTERNAL or SHARED'],
    ['with a role that JavaScript knows', meta({ VOLTYPE: 'toString' }), 'its VOLTYPE is toString'],
    ['with an unknown format', meta({ FORMAT: 'VMDK' }), 'its FORMAT is VMDK, not RAW or COW'],
    ['with an unknown type', meta({ TYPE: 'THIN' }), 'its TYPE is THIN'],
    ['without a size', meta({ CAP: undefined }), 'its size is missing'],
    ['with an odd size', meta({ CAP: '1e6' }), 'its CAP is 1e6, which is no number of bytes'],
    ['with a negative size', meta({ CAP: '-1' }), 'its CAP is -1'],
    ['without a legality', meta({ LEGALITY: undefined }), 'its LEGALITY is missing'],
    ['without a description', meta({ DESCRIPTION: undefined }), 'its DESCRIPTION is missing'],
    ['with an odd time', meta({ CTIME: 'now' }), 'its CTIME is "now", which is no number'],
    ['with an odd generation', meta({ GEN: '' }), 'its GEN is "", which is no number'],
  ])('%s is refused', (_name, text, why) => {
    expect(() => describedIn(text, at)).toThrow(Failure)
    expect(() => describedIn(text, at)).toThrow(why)
  })

  test('is read or refused with a Failure, whatever it is', () => {
    const line = fc.constantFrom(...meta().trimEnd().split('\n'), 'VOLTYPE=', '=', 'CAP=99999999999999999999')
    fc.assert(
      fc.property(fc.array(fc.oneof(line, fc.string()), { maxLength: 16 }), (lines) => {
        try {
          expect(describedIn(lines.join('\n'), at).volume).toBe(at.volume)
        } catch (error) {
          expect(error).toBeInstanceOf(Failure)
        }
      }),
      { numRuns: 500 },
    )
  })

  test('that lost its end anywhere is refused', () => {
    const text = meta()
    fc.assert(
      fc.property(fc.nat(text.length - 'EOF\n'.length), (length) => {
        expect(() => describedIn(text.slice(0, length), at)).toThrow('no line EOF')
      }),
    )
  })
})
