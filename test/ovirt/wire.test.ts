import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { EngineError } from '../../src/model/errors.ts'
import { faultIn, reasonOf } from '../../src/ovirt/trouble.ts'
import { domainsIn } from '../../src/ovirt/wire-domain.ts'
import { createdId, eventsIn, jobIn, jobState, jobsIn, startedJob } from '../../src/ovirt/wire-job.ts'
import { isOlderThan, productIn } from '../../src/ovirt/wire-product.ts'
import { missingParts, vmIn, vmRowsIn } from '../../src/ovirt/wire-vm.ts'

const disk = {
  id: 'd1',
  alias: 'web1_Disk1',
  name: 'web1_Disk1',
  storage_type: 'image',
  image_id: 'v1',
  provisioned_size: '10737418240',
  shareable: 'false',
  status: 'ok',
  storage_domains: { storage_domain: [{ href: '/x', id: 'sd1' }] },
}
const vm = {
  id: 'vm1',
  name: 'web1',
  status: 'up',
  origin: 'ovirt',
  fqdn: 'web1.test',
  cluster: { href: '/c', id: 'c1' },
  disk_attachments: { disk_attachment: [{ id: 'd1', active: 'true', interface: 'virtio_scsi', disk }] },
  snapshots: {
    snapshot: [
      {
        id: 's1',
        description: 'Active VM',
        snapshot_type: 'active',
        snapshot_status: 'ok',
        date: 1665068704884,
      },
    ],
  },
}
const vmsOf = (...rows: object[]) => vmRowsIn({ vm: rows }).map(vmIn)
const withDisk = (changes: object) =>
  vmsOf({
    ...vm,
    disk_attachments: { disk_attachment: [{ active: true, disk: { ...disk, ...changes } }] },
  })[0]?.disks[0]

describe('a VM', () => {
  it('is read as the real engine writes it', () => {
    expect(vmsOf(vm)).toEqual([
      {
        id: 'vm1',
        name: 'web1',
        status: 'up',
        hostedEngine: false,
        clusterId: 'c1',
        guestAgent: true,
        disks: [
          {
            id: 'd1',
            name: 'web1_Disk1',
            kind: 'image',
            domains: ['sd1'],
            volume: 'v1',
            plugged: true,
            shareable: false,
            status: 'ok',
            sizeBytes: 10737418240,
          },
        ],
        snapshots: [{ id: 's1', description: 'Active VM', kind: 'active', status: 'ok' }],
      },
    ])
  })

  it('may have bare numbers and booleans', () => {
    expect(withDisk({ provisioned_size: 42, shareable: true })).toMatchObject({
      sizeBytes: 42,
      shareable: true,
    })
  })

  it('may have no disks, no snapshots and no cluster', () => {
    const bare = { id: 'vm1', name: 'x', status: 'down', disk_attachments: {}, snapshots: {} }
    expect(vmsOf(bare)).toMatchObject([{ disks: [], snapshots: [], guestAgent: false }])
  })

  it('lists nothing in an empty engine', () => {
    expect(vmRowsIn({})).toEqual([])
  })

  it.each(['managed_hosted_engine', 'hosted_engine'])('of origin %s is the engine itself', (origin) => {
    expect(vmsOf({ ...vm, origin })[0]?.hostedEngine).toBe(true)
  })

  it('named HostedEngine is a VM like any other', () => {
    expect(vmsOf({ ...vm, name: 'HostedEngine' })[0]?.hostedEngine).toBe(false)
  })

  it.each([
    ['its operating system', { fqdn: '', guest_operating_system: { family: 'Linux' } }, true],
    ['its name', { fqdn: 'web1.test' }, true],
    ['nothing', { fqdn: '', guest_operating_system: {} }, false],
    ['no answer', { fqdn: undefined }, false],
  ])('has a guest agent when it told the engine %s', (_name, told, guestAgent) => {
    expect(vmsOf({ ...vm, ...told })[0]?.guestAgent).toBe(guestAgent)
  })

  it('in a state that is new to us is in an unknown state', () => {
    expect(vmsOf({ ...vm, status: 'teleporting' })[0]?.status).toBe('unknown')
  })

  it.each([
    ['not followed at all', {}, ['diskattachments', 'snapshots']],
    [
      'only linked',
      { disk_attachments: { href: '/d' }, snapshots: { href: '/s' } },
      ['diskattachments', 'snapshots'],
    ],
    [
      'disks only linked',
      { disk_attachments: { disk_attachment: [{ id: 'd', disk: { id: 'd', href: '/' } }] }, snapshots: {} },
      ['diskattachments'],
    ],
    ['whole', { disk_attachments: {}, snapshots: {} }, []],
  ])('shows which parts were not sent: %s', (_name, parts, missing) => {
    const [row] = vmRowsIn({ vm: [{ id: 'x', name: 'x', ...parts }] })
    expect(row && missingParts(row)).toEqual(missing)
  })
})

describe('a disk', () => {
  it('that is a LUN has no volume', () => {
    const lun = withDisk({
      storage_type: 'lun',
      image_id: undefined,
      status: undefined,
      storage_domains: undefined,
    })
    expect(lun).toMatchObject({ kind: 'lun', domains: [], status: 'ok' })
    expect(lun).not.toHaveProperty('volume')
  })

  it.each(['cinder', 'managed_block_storage'])('of kind %s is of another kind', (storage_type) => {
    expect(withDisk({ storage_type })?.kind).toBe('other')
  })

  it('in a state that is new to us does not pass for free', () => {
    expect(withDisk({ status: 'rebuilding' })?.status).toBe('locked')
  })

  it('lies on all the domains named, each once', () => {
    const two = {
      storage_domains: { storage_domain: [{ id: 'a' }, { id: 'b' }] },
      storage_domain: { id: 'a' },
    }
    expect(withDisk(two)?.domains).toEqual(['a', 'b'])
  })
})

describe('a storage domain', () => {
  const domain = {
    id: 'sd1',
    name: 'vmstore',
    storage: { type: 'glusterfs', address: 'g1', path: '/vmstore', vfs_type: 'glusterfs' },
    data_centers: { data_center: [{ id: 'dc1' }] },
    available: '7516192768',
  }

  it('is read with the data centre it belongs to', () => {
    expect(domainsIn({ storage_domain: [domain] })).toEqual([
      { id: 'sd1', name: 'vmstore', type: 'glusterfs', address: 'g1', path: '/vmstore', dataCenterId: 'dc1' },
    ])
  })

  it('is of Gluster also when it is mounted as a POSIX file system', () => {
    const storage = { ...domain.storage, type: 'posixfs' }
    expect(domainsIn({ storage_domain: [{ ...domain, storage }] })[0]?.type).toBe('glusterfs')
  })

  it('of another POSIX file system stays that', () => {
    const storage = { ...domain.storage, type: 'posixfs', vfs_type: 'ceph' }
    expect(domainsIn({ storage_domain: [{ ...domain, storage }] })[0]?.type).toBe('posixfs')
  })

  it('that is unattached has no state', () => {
    const unattached = { ...domain, status: 'unattached', data_centers: {} }
    expect(domainsIn({ storage_domain: [unattached] })[0]).not.toHaveProperty('status')
  })

  it('may hide its storage from the account', () => {
    expect(domainsIn({ storage_domain: [{ id: 'x', name: 'y' }] })[0]).toMatchObject({
      type: 'unknown',
      path: '',
    })
  })
})

describe('jobs and events', () => {
  it.each([
    ['started', 'running'],
    ['finished', 'finished'],
    ['failed', 'failed'],
    ['aborted', 'failed'],
    ['unknown', 'failed'],
  ] as const)('a job that is %s counts as %s', (status, state) => {
    expect(jobState(jobIn({ id: 'j', status, external: 'true' }).status)).toBe(state)
  })

  it('an event is read with its correlation id and its VM', () => {
    const event = {
      id: '4711',
      index: '4711',
      code: '170',
      severity: 'error',
      time: 1666082820375,
      custom_id: '-1',
      description: 'Failed to create live snapshot',
      correlation_id: 'vmb-1',
      vm: { href: '/v', id: 'vm1', name: 'web1' },
    }
    expect(eventsIn({ event: [event] })).toEqual([
      {
        id: 4711,
        at: 1_666_082_820_375,
        code: 170,
        meaning: 'snapshot doubtful',
        severity: 'error',
        text: 'Failed to create live snapshot',
        tag: 'vmb-1',
        vmId: 'vm1',
      },
    ])
  })

  it('an action may tell its job, or not', () => {
    expect(startedJob({ status: 'complete', job: { id: 'j1' } })).toBe('j1')
    expect(startedJob({ status: 'complete' })).toBeUndefined()
    expect(startedJob(undefined)).toBeUndefined()
  })
})

describe('the engine', () => {
  const product = (version: object) => productIn({ product_info: { name: 'oVirt Engine', version } })

  it('is named with its version', () => {
    const full = product({ major: '4', minor: '5', build: '6', revision: '0', full_version: '4.5.6-1.el9' })
    expect(full.version).toBe('4.5.6')
    expect(product({ full_version: '4.4.10.7-1.el8' }).version).toBe('4.4.10.7-1.el8')
  })

  it.each([
    [{ major: '4', minor: '2' }, true],
    [{ major: 3, minor: 6 }, true],
    [{ major: '4', minor: '3' }, false],
    [{ major: '5', minor: '0' }, false],
    [{}, false],
  ])('of version %j is older than 4.3: %s', (version, older) => {
    expect(isOlderThan(product(version), 4, 3)).toBe(older)
  })
})

describe('what the engine must not send', () => {
  it('is told by field and thing', () => {
    const bad = { ...vm, disk_attachments: { disk_attachment: [{ active: 'perhaps', disk }] } }
    expect(() => vmsOf(bad)).toThrow(
      "the engine's VM web1 cannot be read: disk_attachments.0.active: expected true or false",
    )
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
