import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { EngineError } from '../../src/model/errors.ts'
import { faultIn, reasonOf } from '../../src/ovirt/trouble.ts'
import { domainsIn } from '../../src/ovirt/wire-domain.ts'
import { createdId, eventsIn, jobIn, jobsIn, startedJob } from '../../src/ovirt/wire-job.ts'
import { productIn } from '../../src/ovirt/wire-product.ts'
import { missingParts, vmIn, vmRowsIn } from '../../src/ovirt/wire-vm.ts'
import { disk, vm, vmsOf, withDisk } from './wire-rows.ts'

describe('what the engine must not send', () => {
  it('is told by field and thing', () => {
    const bad = { ...vm, disk_attachments: { disk_attachment: [{ active: 'perhaps', disk }] } }
    expect(() => vmsOf(bad)).toThrow(
      "the engine's VM web1 cannot be read: disk_attachments.0.active: expected true or false",
    )
  })

  it.each(['..', '../jobs', 'a or name=*', 'a\nb', '', 'é'])('is refused when an id is %j', (wrong) => {
    expect(() => vmsOf({ ...vm, id: wrong })).toThrow('0.id: expected an id')
    expect(() => createdId({ id: wrong }, 'new snapshot')).toThrow('id: expected an id')
  })

  it('is refused when a disk has a negative size: no manifest could hold it', () => {
    expect(() => withDisk({ provisioned_size: '-1' })).toThrow('provisioned_size: expected 0 or more')
  })

  it('gives names on one line and well-formed', () => {
    expect(vmsOf({ ...vm, name: 'web\n\x1b[2J\ud800' })[0]?.name).toBe('web [2J\ufffd')
  })

  it('never makes a parser fail in another way', () => {
    const parsers: ((value: unknown) => unknown)[] = [
      (value) => vmRowsIn(value).map((row) => [missingParts(row), vmIn(row)]),
      domainsIn,
      jobsIn,
      jobIn,
      eventsIn,
      startedJob,
      productIn,
      (value) => createdId(value, 'thing'),
    ]
    const shaped = fc.record(
      Object.fromEntries(
        [
          'vm',
          'job',
          'event',
          'storage_domain',
          'disk_attachments',
          'snapshots',
          'product_info',
          'id',
          'name',
        ].map((key) => [
          key,
          fc.oneof(fc.jsonValue(), fc.array(fc.record({ id: fc.jsonValue(), name: fc.jsonValue() }))),
        ]),
      ),
      { requiredKeys: [] },
    )
    fc.assert(
      fc.property(fc.constantFrom(...parsers), fc.oneof(fc.jsonValue(), shaped), (parse, value) => {
        try {
          parse(value)
        } catch (error) {
          expect(error).toBeInstanceOf(EngineError)
        }
      }),
      { numRuns: 2000 },
    )
  })

  it('makes no refusal that cannot be told in one short line', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), fc.constantFrom(400, 404, 500), (text, status) => {
        faultIn(text)
        const said = reasonOf({ status, isHtml: false, text })
        expect(said.length).toBeLessThan(700)
        expect(said).not.toMatch(/\n/)
      }),
      { numRuns: 1000 },
    )
  })

  it.each(['<title>', '<title></title>', '<', '<script>'])(
    'is read at once when it is nothing but %s',
    (tag) => {
      const began = performance.now()
      expect(reasonOf({ status: 500, isHtml: true, text: tag.repeat(500_000) })).toMatch(
        /^the engine answered with a page/,
      )
      expect(performance.now() - began).toBeLessThan(500)
    },
  )

  it.each([
    ['<html><head><title>502 Proxy</title><style>x{}</style></head><body>y</body></html>', '"502 Proxy"'],
    [
      '<html><head><title></title></head><body><b>invalid_grant</b>: expired</body></html>',
      '"invalid_grant : expired"',
    ],
    ['<script>var x = 1</script><p>Sorry</p>', '"Sorry"'],
  ])('is shown without its markup: %s', (text, shown) => {
    expect(reasonOf({ status: 500, isHtml: true, text })).toMatch(shown)
  })
})
