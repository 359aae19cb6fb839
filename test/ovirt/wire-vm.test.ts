import { describe, expect, it } from 'vitest'
import { missingParts, vmRowsIn } from '../../src/ovirt/wire-vm.ts'
import { vm, vmsOf, withDisk } from './wire-rows.ts'

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
