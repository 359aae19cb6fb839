import { describe, expect, it } from 'vitest'
import { domainsIn } from '../../src/ovirt/wire-domain.ts'
import { eventsIn, jobIn, jobState, startedJob } from '../../src/ovirt/wire-job.ts'
import { isOlderThan, productIn } from '../../src/ovirt/wire-product.ts'

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
