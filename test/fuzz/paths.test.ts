import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { dropOverlays, hasOverlay } from '../../src/backup/overlays.ts'
import { Failure } from '../../src/model/errors.ts'
import { vdsmFormat } from '../../src/ovirt/vdsm-domain.ts'
import { vdsmLayout } from '../../src/ovirt/vdsm-layout.ts'
import { Ledger } from '../../src/run/ledger.ts'
import { aFolder } from '../run/a-folder.ts'
import { domainId, idOf, plain } from '../support/domain-files.ts'
import { volumeAt } from '../support/stage.ts'
import { anyText, likeText } from './hostile.ts'

const { signal } = new AbortController()
const isUuid = (text: string) =>
  /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/.test(text) && text.length === 36

/** Ids of which one at least is none. */
const ids = fc
  .record({
    name: fc.constantFrom('domain', 'image', 'volume'),
    id: fc.oneof(anyText, likeText(plain.volume)),
  })
  .filter(({ id }) => !isUuid(id))
  .map(({ name, id }) => ({ domain: domainId, ...plain, [name]: id }))

describe('a path on the secondary', () => {
  test('is not made of what is no UUID', () => {
    fc.assert(
      fc.property(ids, ({ domain, image, volume }) => {
        expect(() => vdsmLayout.filesOf(domain, image, volume)).toThrow(Failure)
        expect(() => vdsmLayout.descriptionOf(domain, image, volume)).toThrow(Failure)
        expect(() => vdsmLayout.asTop('', { domain, image, volume })).toThrow(Failure)
        expect(() => vdsmFormat.dataOf(domain, { image, volume })).toThrow(Failure)
        if (isUuid(volume)) expect(() => vdsmLayout.directoryOf(domain, image)).toThrow(Failure)
      }),
      { numRuns: 1000 },
    )
  })

  test('is looked at for no domain and no image that is no UUID', async () => {
    const root = aFolder()
    mkdirSync(join(root, domainId, 'images'), { recursive: true })
    await fc.assert(
      fc.asyncProperty(ids, async ({ domain, image, volume }) => {
        if (!isUuid(domain)) {
          await expect(vdsmFormat.examine(root, domain, signal)).rejects.toThrow(Failure)
          await expect(vdsmFormat.readOvfStores(root, domain, [image], signal)).rejects.toThrow(Failure)
        } else if (!isUuid(image)) {
          expect(await vdsmFormat.readOvfStores(root, domain, [image], signal)).toEqual([])
        }
        const store = { image, volume, description: 'EOF\n', updatedAt: 0 }
        await expect(async () => vdsmFormat.putBackOvfStore(root, domain, store)).rejects.toThrow(Failure)
      }),
    )
  })

  test('is not touched for overlays that the ledger names by what is no UUID', async () => {
    const root = aFolder()
    const place = join(root, domainId, 'images', plain.image)
    mkdirSync(place, { recursive: true })
    for (const name of [idOf(21), `${idOf(21)}.meta`, plain.volume]) writeFileSync(join(place, name), 'kept')
    const before = readdirSync(root, { recursive: true }).toSorted()
    using ledger = new Ledger(':memory:', 'a-pair')
    const hostile = fc
      .tuple(ids, fc.constantFrom('base', 'overlay'))
      .map(([{ domain, image, volume }, name]) => ({
        domain,
        overlay: { image, base: idOf(20), overlay: idOf(21), [name]: volume },
      }))
    await fc.assert(
      fc.asyncProperty(hostile, async ({ domain, overlay }) => {
        ledger.owe('run', { kind: 'overlays', vm: { id: 'a', name: 'a' }, domain, overlays: [overlay] })
        expect(ledger.open()[0]?.what.kind).toBe('unknown')
        const overlays = [overlay]
        const drop = dropOverlays(volumeAt(root), vdsmLayout, domain, overlays)
        await expect(drop).rejects.toThrow(Failure)
        if (!isUuid(domain) || !isUuid(overlay.image) || !isUuid(overlay.overlay))
          await expect(hasOverlay(volumeAt(root), vdsmLayout, domain, overlays)).rejects.toThrow(Failure)
        expect(readdirSync(root, { recursive: true }).toSorted()).toEqual(before)
      }),
    )
  })
})
