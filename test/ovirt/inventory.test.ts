import { HttpResponse, http } from 'msw'
import { describe, expect, it } from 'vitest'
import { createEngine } from '../../src/ovirt/engine.ts'
import { api, aVmRow, config, domain, json, noSignal, partsOf, useFakeEngine } from './fake-engine.ts'

const engine = useFakeEngine()
const vmsFrom = (rows: object[]) =>
  http.get(`${api}/vms`, ({ request }) => {
    const query = new URL(request.url).searchParams
    const page = Number(/page (\d+)$/.exec(query.get('search') ?? '')?.[1])
    const max = Number(query.get('max'))
    return json({ vm: rows.slice((page - 1) * max, page * max) })
  })

describe('the VMs of a domain', () => {
  it('are all read, with one request per 100 and one more', async () => {
    const rows = Array.from({ length: 1000 }, (_, index) => aVmRow(`${index}`))
    engine.answers(vmsFrom(rows))
    const vms = await createEngine(config()).vms(domain, noSignal)
    expect(vms.map(({ id }) => id)).toEqual(rows.map(({ id }) => id))
    expect(engine.apiCalls()).toHaveLength(11)
    expect(engine.apiCalls()[0]).toBe(
      'GET /api/vms?search=storage.name="vmstore" sortby name page 1&max=100&follow=disk_attachments.disk,snapshots',
    )
  })

  it('are told once each, also when a row moves to the next page meanwhile', async () => {
    const rows = Array.from({ length: 250 }, (_, index) => aVmRow(`${index}`))
    engine.answers(vmsFrom([...rows.slice(0, 100), ...rows.slice(99)]))
    const vms = await createEngine(config()).vms(domain, noSignal)
    expect(new Set(vms.map(({ id }) => id)).size).toBe(250)
    expect(vms).toHaveLength(250)
  })

  it('do not include those that only resemble', async () => {
    engine.answers(vmsFrom([aVmRow('1'), aVmRow('2', 'sd2')]))
    const vms = await createEngine(config()).vms(domain, noSignal)
    expect(vms.map(({ id }) => id)).toEqual(['1'])
  })

  it.each(['a"b', "it's", 'a*b', 'a;b', 'ä'])(
    'are found also where the name of the domain cannot be searched: %s',
    async (name) => {
      engine.answers(vmsFrom([aVmRow('1'), aVmRow('2', 'sd2')]))
      const vms = await createEngine(config()).vms({ ...domain, name }, noSignal)
      expect(vms.map(({ id }) => id)).toEqual(['1'])
      expect(engine.apiCalls()[0]).toMatch('search=sortby name page 1&')
    },
  )

  it('are completed by further questions on an engine that does not follow', async () => {
    engine.answers(
      vmsFrom([
        { id: '1', name: 'a', status: 'up' },
        { id: '2', name: 'gone', status: 'up' },
      ]),
      http.get(`${api}/vms/1/diskattachments`, () =>
        json({ disk_attachment: [{ id: 'd', active: 'true', disk: { id: 'd', href: '/d' } }] }),
      ),
      http.get(`${api}/disks/d`, () => json(partsOf('sd1').disk_attachments.disk_attachment[0]?.disk ?? {})),
      http.get(`${api}/vms/1/snapshots`, () => json({ snapshot: [{ id: 's', snapshot_type: 'active' }] })),
      http.get(`${api}/vms/2/*`, () => new HttpResponse(null, { status: 404 })),
    )
    const vms = await createEngine(config()).vms(domain, noSignal)
    expect(vms).toMatchObject([
      { id: '1', disks: [{ volume: 'v', plugged: true }], snapshots: [{ id: 's' }] },
    ])
  })
})

it('tells the storage domains with the state in their data centre, asking each data centre once', async () => {
  const row = (id: string, dc?: string) => ({
    id,
    name: id,
    storage: { type: 'glusterfs', address: 'g', path: '/p' },
    ...(dc === undefined ? { status: 'unattached' } : { data_centers: { data_center: [{ id: dc }] } }),
  })
  engine.answers(
    http.get(`${api}/storagedomains`, () =>
      json({ storage_domain: [row('a', 'dc1'), row('b', 'dc1'), row('c')] }),
    ),
    http.get(`${api}/datacenters/dc1/storagedomains`, () =>
      json({
        storage_domain: [
          { id: 'a', status: 'active' },
          { id: 'b', status: 'maintenance' },
        ],
      }),
    ),
  )
  const domains = await createEngine(config()).domains(noSignal)
  expect(domains.map(({ id, status, dataCenterId }) => [id, status, dataCenterId])).toEqual([
    ['a', 'active', 'dc1'],
    ['b', 'maintenance', 'dc1'],
    ['c', undefined, undefined],
  ])
  expect(engine.apiCalls()).toHaveLength(2)
})
