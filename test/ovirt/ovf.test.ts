import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Failure } from '../../src/model/errors.ts'
import { documentIn } from '../../src/ovirt/ovf.ts'
import { idOf, ovf, plain, top } from '../support/domain-files.ts'

const member = `${idOf(70)}.ovf`

describe('the document of a VM', () => {
  test('tells its id, its name and every volume once', () => {
    const text = ovf('web', [plain, top])
    expect(documentIn(member, text)).toEqual({ id: idOf(70), name: 'web', text, volumes: [plain, top] })
  })

  test.each([
    ['its references alone', (text: string) => text.replace(/<Disk .*?\/>/g, '')],
    ['its disks alone', (text: string) => text.replace(/<File .*?\/>/g, '')],
  ])('names volumes in %s', (_name, cut) => {
    expect(documentIn(member, cut(ovf('web', [plain, top]))).volumes).toEqual([plain, top])
  })

  test('may have no disks', () => {
    expect(documentIn(member, ovf('web', [])).volumes).toEqual([])
  })

  test('may have disks that are no images', () => {
    const lun = '<Disk ovf:diskId="360014051" ovf:fileRef="360014051"/><File ovf:href="../../etc/passwd"/>'
    const text = ovf('web', [plain]).replace('</References>', `${lun}</References>`)
    expect(documentIn(member, text).volumes).toEqual([plain])
  })

  test.each(['007', '1e3', 'true', 'null', 'a&amp;b', 'größe'])('keeps the name %s as text', (name) => {
    expect(documentIn(member, ovf(name, [])).name).toBe(name.replace('&amp;', '&'))
  })

  test('may be large and full of entities', () => {
    const description = `<Description>${'a &quot;b&quot; &lt;c&gt; '.repeat(50_000)}</Description>`
    const text = ovf('web', [plain]).replace('<Name>', `${description}<Name>`)
    expect(documentIn(member, text)).toMatchObject({ name: 'web', volumes: [plain] })
  })

  test.each([
    ['empty', ''],
    ['no XML', 'nothing of the kind'],
    ['zeros', '\0'.repeat(1024)],
    ['XML of another kind', '<a><b/></a>'],
    ['without a name', ovf('web', []).replace(/<Name>.*<\/Name>/, '')],
  ])('that is %s is refused', (_name, text) => {
    expect(() => documentIn(member, text)).toThrow(Failure)
  })

  test('that was cut off anywhere is refused', () => {
    const text = ovf('web', [plain, top])
    fc.assert(
      fc.property(fc.nat(text.length - 1), (length) => {
        expect(() => documentIn(member, text.slice(0, length))).toThrow(Failure)
      }),
    )
  })

  test.each(['x.ovf', `../${idOf(70)}.ovf`, idOf(70), `${idOf(70)}.xml`])('is not called %s', (name) => {
    expect(() => documentIn(name, ovf('web', []))).toThrow('its name is not that of a VM')
  })
})
