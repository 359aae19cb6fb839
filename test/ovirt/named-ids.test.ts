import { describe, expect, test } from 'vitest'
import { idsIn } from '../../src/ovirt/named-ids.ts'
import { vdsmFormat } from '../../src/ovirt/vdsm-domain.ts'
import { idOf, ovf, stores, top, vms } from '../support/domain-files.ts'
import { aDomainWithStores } from './domain-with-stores.ts'

const [older] = stores

describe('the ids that a store names', () => {
  const overlay = idOf(95)
  const place = { image: top.image, volume: overlay }
  const line = (text: string, width: number) => text.match(new RegExp(`.{1,${width}}`, 'g')) ?? []
  const inner = ovf('web', [place])
  const broken = line(Buffer.from(inner).toString('base64'), 76)
  test.each([
    ['in clear', ovf('web', [place])],
    ['in capitals', ovf('web', [place]).replaceAll(overlay, overlay.toUpperCase())],
    ['within the configuration kept with a snapshot', ovf('web', [], [inner])],
    ['within a configuration in lines', ovf('web', [], ['X']).replace('WA==', broken.join('\n'))],
    [
      'within a configuration in escaped lines',
      ovf('web', [], ['X']).replace('WA==', broken.join('&#13;\n')),
    ],
    ['within a configuration of a configuration', ovf('web', [], [ovf('web', [], [inner])])],
  ])('are found %s', async (_name, document) => {
    const { read, fillStore } = await aDomainWithStores()
    await fillStore(
      older,
      { 'info.json': '{}', [`${vms.web}.ovf`]: document },
      'Sat Nov 21 03:17:45 UTC 2026',
    )
    const [first] = await read()
    expect(first && vdsmFormat.idsNamedIn(first, new Set([idOf(96), overlay]))).toEqual([overlay])
  })

  test('are found in a run of base64 that is longer than an expression can match', () => {
    const long = Buffer.from(`${'x'.repeat(24 * 1024 * 1024)}${overlay}`).toString('base64')
    expect([...idsIn(long)]).toEqual([overlay])
  })

  test('are none in a store without content', () => {
    const store = { ...older, description: overlay, updatedAt: 0 }
    expect(vdsmFormat.idsNamedIn(store, new Set([overlay]))).toEqual([])
  })
})
