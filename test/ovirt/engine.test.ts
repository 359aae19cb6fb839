import { HttpResponse, http } from 'msw'
import { describe, expect, it } from 'vitest'
import type { StorageDomain } from '../../src/model/vm.ts'
import { createEngine } from '../../src/ovirt/engine.ts'
import { api, config, fault, inTurn, noSignal, useFakeEngine } from './fake-engine.ts'

const engine = useFakeEngine()
const json = (body: object, status = 200) => HttpResponse.json(body, { status })
const domain: StorageDomain = {
  id: 'sd1',
  name: 'vmstore',
  type: 'glusterfs',
  address: 'g1',
  path: '/v',
  dataCenterId: 'dc1',
}

const parts = (domainId: string) => ({
  disk_attachments: {
    disk_attachment: [
      {
        active: 'true',
        disk: {
          id: 'd',
          storage_type: 'image',
          image_id: 'v',
          storage_domains: { storage_domain: [{ id: domainId }] },
        },
      },
    ],
  },
  snapshots: {},
})
const aVm = (id: string, domainId = 'sd1') => ({ id, name: `vm-${id}`, status: 'up', ...parts(domainId) })
const vmsFrom = (rows: object[]) =>
  http.get(`${api}/vms`, ({ request }) => {
    const query = new URL(request.url).searchParams
    const page = Number(/page (\d+)$/.exec(query.get('search') ?? '')?.[1])
    const max = Number(query.get('max'))
    return json({ vm: rows.slice((page - 1) * max, page * max) })
  })

const bodies = () =>
  engine.seen.filter(({ path }) => path.startsWith('/api')).map(({ body }) => body && JSON.parse(body))

describe('the VMs of a domain', () => {
  it('are all read, with at most one request per 100', async () => {
    const rows = Array.from({ length: 1000 }, (_, index) => aVm(`${index}`))
    engine.answers(vmsFrom(rows))
    const vms = await createEngine(config()).vms(domain, noSignal)
    expect(vms.map(({ id }) => id)).toEqual(rows.map(({ id }) => id))
    expect(engine.apiCalls().length).toBeLessThanOrEqual(10)
    expect(engine.apiCalls()[0]).toBe(
      'GET /api/vms?search=storage.name="vmstore" sortby name page 1&max=200&follow=disk_attachments.disk,snapshots',
    )
  })

  it('are told once each, also when a row moves to the next page meanwhile', async () => {
    const rows = Array.from({ length: 250 }, (_, index) => aVm(`${index}`))
    engine.answers(vmsFrom([...rows.slice(0, 200), ...rows.slice(199)]))
    const vms = await createEngine(config()).vms(domain, noSignal)
    expect(new Set(vms.map(({ id }) => id)).size).toBe(250)
    expect(vms).toHaveLength(250)
  })

  it('do not include those that only resemble', async () => {
    engine.answers(vmsFrom([aVm('1'), aVm('2', 'sd2')]))
    const vms = await createEngine(config()).vms(domain, noSignal)
    expect(vms.map(({ id }) => id)).toEqual(['1'])
  })

  it.each(['a"b', "it's", 'a*b', 'a;b', 'ä'])(
    'are found also where the name of the domain cannot be searched: %s',
    async (name) => {
      engine.answers(vmsFrom([aVm('1'), aVm('2', 'sd2')]))
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
      http.get(`${api}/disks/d`, () => json(parts('sd1').disk_attachments.disk_attachment[0]?.disk ?? {})),
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

describe('taking a snapshot', () => {
  const overlays = [{ image: 'img', base: 'old', overlay: 'new' }]
  const take = (engineClient = createEngine(config())) =>
    engineClient.takeSnapshot(
      { id: 'vm1', name: 'web1' },
      { description: 'vmbackup x', overlays },
      'vmb-1',
      noSignal,
    )

  it('names each disk with its new volume and asks for no memory', async () => {
    engine.answers(
      http.post(`${api}/vms/vm1/snapshots`, () => json({ id: 's1', snapshot_status: 'locked' }, 202)),
      http.get(`${api}/jobs`, () => json({})),
    )
    await expect(take()).resolves.toBe('s1')
    expect(engine.apiCalls()[0]).toBe('POST /api/vms/vm1/snapshots?correlation_id=vmb-1')
    expect(bodies()[0]).toEqual({
      description: 'vmbackup x',
      persist_memorystate: 'false',
      disk_attachments: { disk_attachment: [{ disk: { id: 'img', image_id: 'new' } }] },
    })
  })

  it('counts as done also when its job cannot be found', async () => {
    engine.answers(
      http.post(`${api}/vms/vm1/snapshots`, () => json({ id: 's1' }, 201)),
      http.get(`${api}/jobs`, () => fault(400, 'Bad search.')),
    )
    await expect(take()).resolves.toBe('s1')
  })

  it('of no disks is refused before it is sent: the engine would take all', async () => {
    const client = createEngine(config())
    const none = client.takeSnapshot(
      { id: 'vm1', name: 'web1' },
      { description: 'x', overlays: [] },
      'vmb-1',
      noSignal,
    )
    await expect(none).rejects.toThrow('could not take a snapshot of VM web1: it names no disks')
  })

  it('tells the VM and the engine’s reason when it is refused', async () => {
    engine.answers(
      http.post(`${api}/vms/vm1/snapshots`, () =>
        fault(409, 'Cannot create Snapshot. Low disk space on Storage Domain vmstore.'),
      ),
    )
    await expect(take()).rejects.toMatchObject({
      status: 409,
      message:
        'could not take a snapshot of VM web1: Cannot create Snapshot. Low disk space on Storage Domain vmstore. (HTTP 409)',
    })
  })
})

describe('removing a snapshot', () => {
  const remove = () =>
    createEngine(config()).removeSnapshot({ id: 'vm1', name: 'web1' }, 's1', 'vmb-1', noSignal)

  it.each([
    ['with nothing in it', () => new HttpResponse(null, { status: 404 })],
    ['with a reason', () => fault(404, 'Entity not found: null')],
  ])('that is gone is done: 404 %s', async (_name, answer) => {
    engine.answers(http.delete(`${api}/vms/vm1/snapshots/s1`, answer))
    await expect(remove()).resolves.toBeUndefined()
  })

  it('is not done when a web server says 404 in place of the engine', async () => {
    engine.answers(
      http.delete(`${api}/vms/vm1/snapshots/s1`, () =>
        HttpResponse.html('<h1>Not Found</h1>', { status: 404 }),
      ),
    )
    await expect(remove()).rejects.toThrow('could not remove a snapshot of VM web1')
  })
})

describe('observing', () => {
  const started = { status: 'complete', job: { id: 'job-1' } }
  const jobs = (...rows: object[]) => http.get(`${api}/jobs`, () => json({ job: rows }))
  const events = (...rows: object[]) => http.get(`${api}/events`, () => json({ event: rows }))
  const event = (id: number, tag: string, code: number) => ({
    id: `${id}`,
    code: `${code}`,
    severity: 'normal',
    correlation_id: tag,
  })

  it('takes three requests for 100 VMs, and a VM that is gone is missing', async () => {
    const ids = Array.from(
      { length: 100 },
      (_, index) => `0b6a2f5e-6f2c-4d0b-9a53-${String(index).padStart(12, '0')}`,
    )
    engine.answers(
      http.get(`${api}/vms`, () => json({ vm: ids.slice(1).map((id) => aVm(id)) })),
      http.post(`${api}/storagedomains/sd1/updateovfstore`, () => json(started)),
      jobs({ id: 'job-1', status: 'started', description: 'Updating OVFs' }),
      events(),
    )
    const client = createEngine(config())
    await client.updateOvfStore(domain, 'vmb-1-1', noSignal)
    const before = engine.apiCalls().length
    const seen = await client.observe(
      ids.map((id) => ({ id, name: id })),
      'vmb-1',
      noSignal,
    )
    expect(seen.vms.size).toBe(99)
    expect(engine.apiCalls().slice(before)).toHaveLength(3)
    expect(Math.max(...engine.seen.map(({ path }) => path.length))).toBeLessThan(6000)
  })

  it('tells the jobs of our acts by the tag they were given, whatever try the engine took', async () => {
    engine.answers(
      http.delete(
        `${api}/vms/vm1/snapshots/s1`,
        inTurn(
          () => fault(409, 'VM is locked.'),
          () => json(started),
        ),
      ),
      jobs({ id: 'job-1', status: 'started', description: 'Removing' }, { id: 'job-0', status: 'failed' }),
      events(event(2, 'vmb-1-7-r2', 342), event(1, 'vmb-1-7', 343), event(3, 'vmb-2', 357)),
    )
    const client = createEngine(config())
    await client.removeSnapshot({ id: 'vm1', name: 'web1' }, 's1', 'vmb-1-7', noSignal)
    const seen = await client.observe([], 'vmb-1', noSignal)
    expect(seen.jobs).toEqual([{ id: 'job-1', tag: 'vmb-1-7', description: 'Removing', state: 'running' }])
    expect(seen.events.map(({ tag, code }) => [tag, code])).toEqual([['vmb-1-7', 342]])
    expect(engine.apiCalls()).toContain('GET /api/jobs?search=correlation_id=vmb-1-7-r2&follow=steps')
    expect(engine.apiCalls()).toContain('GET /api/events?search=correlation_id=vmb-1*&max=500')
  })

  it('tells how far a job is by its steps, with their percentages where the engine has them', async () => {
    const stepsAt = (progress?: number) => ({
      step: [
        { id: 'b', status: 'started', ...(progress === undefined ? {} : { progress: String(progress) }) },
        { id: 'a', status: 'finished' },
      ],
    })
    engine.answers(
      http.delete(`${api}/vms/vm1/snapshots/s1`, () => json(started)),
      http.get(
        `${api}/jobs`,
        inTurn(
          () => json({ job: [{ id: 'job-1', status: 'started', steps: stepsAt() }] }),
          () => json({ job: [{ id: 'job-1', status: 'started', steps: stepsAt(40) }] }),
          () => json({ job: [{ id: 'job-1', status: 'started', steps: { href: '/api/jobs/job-1/steps' } }] }),
        ),
      ),
      events(),
    )
    const client = createEngine(config())
    await client.removeSnapshot({ id: 'vm1', name: 'web1' }, 's1', 'vmb-1-7', noSignal)
    const looks = [1, 2, 3].map(() => client.observe([], 'vmb-1', noSignal))
    const seen: (string | undefined)[] = []
    for (const look of looks) seen.push((await look).jobs[0]?.progress)
    expect(new Set(seen)).toEqual(
      new Set(['a finished , b started ', 'a finished , b started 40', undefined]),
    )
  })

  it('finds the job of a snapshot, which the engine does not name in its answer', async () => {
    engine.answers(
      http.post(`${api}/vms/vm1/snapshots`, () => json({ id: 's1' }, 202)),
      http.get(
        `${api}/jobs`,
        inTurn(
          () => json({ job: [{ id: 'job-9', status: 'started' }] }),
          () => json({ job: [{ id: 'job-9', status: 'finished' }] }),
        ),
      ),
      events(),
    )
    const client = createEngine(config())
    const overlays = [{ image: 'i', base: 'b', overlay: 'o' }]
    await client.takeSnapshot(
      { id: 'vm1', name: 'web1' },
      { description: 'x', overlays },
      'vmb-1-1',
      noSignal,
    )
    const seen = await client.observe([], 'vmb-1', noSignal)
    expect(seen.jobs).toMatchObject([{ id: 'job-9', tag: 'vmb-1-1', state: 'finished' }])
  })

  it('remembers how a job ended after the engine has cleared it away', async () => {
    engine.answers(
      http.delete(`${api}/vms/vm1/snapshots/s1`, () => json(started)),
      http.get(
        `${api}/jobs`,
        inTurn(
          () => json({ job: [{ id: 'job-1', status: 'failed' }] }),
          () => json({}),
        ),
      ),
      events(),
    )
    const client = createEngine(config())
    await client.removeSnapshot({ id: 'vm1', name: 'web1' }, 's1', 'vmb-1-1', noSignal)
    await client.observe([], 'vmb-1', noSignal)
    const seen = await client.observe([], 'vmb-1', noSignal)
    expect(seen.jobs).toMatchObject([{ state: 'failed' }])
  })

  it('loses a job that the engine cleared away before anyone saw its end', async () => {
    engine.answers(
      http.delete(`${api}/vms/vm1/snapshots/s1`, () => json(started)),
      jobs(),
      events(),
    )
    const client = createEngine(config())
    await client.removeSnapshot({ id: 'vm1', name: 'web1' }, 's1', 'vmb-1-1', noSignal)
    expect((await client.observe([], 'vmb-1', noSignal)).jobs).toEqual([])
  })
})

describe('announcing', () => {
  const created = () => json({ id: '1' }, 201)

  it('posts an event with its number and what it is about', async () => {
    engine.answers(http.post(`${api}/events`, created))
    await createEngine(config()).announce(
      { severity: 'warning', text: 'x', domain, clusterId: 'c1' },
      7,
      noSignal,
    )
    expect(bodies()).toEqual([
      {
        origin: 'vmbackup',
        severity: 'warning',
        custom_id: 7,
        description: 'x',
        storage_domain: { id: 'sd1' },
        data_center: { id: 'dc1' },
        cluster: { id: 'c1' },
      },
    ])
  })

  it('cuts a text that is too long', async () => {
    engine.answers(http.post(`${api}/events`, created))
    await createEngine(config()).announce({ severity: 'alert', text: 'x'.repeat(20_000) }, 7, noSignal)
    expect(bodies()[0].description).toHaveLength(10_000)
  })

  it('is done when the event is there already', async () => {
    const there = () =>
      fault(400, '=Cannot add External Event. External Event with this custom id already exists.')
    engine.answers(http.post(`${api}/events`, there))
    await expect(
      createEngine(config()).announce({ severity: 'normal', text: 'x' }, 7, noSignal),
    ).resolves.toBeUndefined()
  })

  it('tells any other refusal', async () => {
    engine.answers(http.post(`${api}/events`, () => fault(400, 'Illegal Origin for External Event : oVirt')))
    const posted = createEngine(config({ origin: 'oVirt' })).announce(
      { severity: 'normal', text: 'x' },
      7,
      noSignal,
    )
    await expect(posted).rejects.toThrow('could not post event 7 to the engine: Illegal Origin')
  })

  it.each([-1, 1.5, 2 ** 31])('refuses the number %d, which the engine cannot keep', async (number) => {
    await expect(
      createEngine(config()).announce({ severity: 'normal', text: 'x' }, number, noSignal),
    ).rejects.toThrow('31 bits')
  })
})

describe('our jobs in the Tasks pane', () => {
  it('are opened so that the engine clears them, with steps, and are ended by result', async () => {
    engine.answers(
      http.post(`${api}/jobs`, () => json({ id: 'j1' }, 201)),
      http.post(`${api}/jobs/j1/steps`, () => json({ id: 't1' }, 201)),
      http.post(`${api}/jobs/j1/steps/t1/end`, () => json({ status: 'complete' })),
      http.post(`${api}/jobs/j1/end`, () => json({ status: 'complete' })),
    )
    const client = createEngine(config())
    const job = await client.openJob('backup', 'vmb-1', noSignal)
    const step = await client.openStep(job, 'snapshots', 'vmb-2', noSignal)
    await client.closeStep(job, step, false, noSignal)
    await client.closeJob(job, false, noSignal)
    expect(bodies()).toEqual([
      { description: 'backup', auto_cleared: 'true' },
      { description: 'snapshots', type: 'executing' },
      { succeeded: 'false' },
      { succeeded: 'false', force: 'true' },
    ])
  })

  it.each([
    ['gone', 400, () => new HttpResponse(null, { status: 404 })],
    ['gone, and told so', 404, () => new HttpResponse(null, { status: 404 })],
    ['ended', 400, () => json({ id: 'j1', status: 'failed', external: 'true' })],
  ])('count as ended when they are %s (HTTP %d)', async (_name, status, look) => {
    engine.answers(
      http.post(`${api}/jobs/j1/end`, () => fault(status, 'Cannot clear External Job. Job not found.')),
      http.get(`${api}/jobs/j1`, look),
    )
    await expect(createEngine(config()).closeJob('j1', true, noSignal)).resolves.toBeUndefined()
  })

  it('are not ended while the engine shows them running', async () => {
    engine.answers(
      http.post(`${api}/jobs/j1/end`, () => fault(400, 'Not an external job.')),
      http.get(`${api}/jobs/j1`, () => json({ id: 'j1', status: 'started' })),
    )
    await expect(createEngine(config()).closeJob('j1', true, noSignal)).rejects.toThrow('Not an external job')
  })

  it('are found by their text while they are open', async () => {
    const job = (id: string, changes: object) => ({
      id,
      status: 'started',
      external: 'true',
      description: 'vmbackup R1: x',
      ...changes,
    })
    engine.answers(
      http.get(`${api}/jobs`, () =>
        json({
          job: [
            job('a', {}),
            job('b', { external: 'false' }),
            job('c', { status: 'finished' }),
            job('d', { description: 'other' }),
          ],
        }),
      ),
    )
    await expect(createEngine(config()).findJobs('vmbackup R1', noSignal)).resolves.toEqual(['a'])
  })
})

describe('preflight at the engine', () => {
  const product = (minor: string) =>
    http.get(api, () =>
      json({ product_info: { name: 'oVirt Engine', version: { major: '4', minor, build: '1' } } }),
    )

  it('finds nothing with a new engine and an administrator', async () => {
    engine.answers(
      product('5'),
      http.get(`${api}/events`, () => json({})),
    )
    await expect(createEngine(config()).findings(noSignal)).resolves.toEqual([])
  })

  it('tells an engine that is too old, an account without rights and missing TLS verification, all at once', async () => {
    engine.answers(
      product('2'),
      http.get(`${api}/events`, () => fault(403, 'query execution failed due to insufficient permissions.')),
    )
    const findings = await createEngine(config({ verifyTls: false })).findings(noSignal)
    expect(findings.map(({ severity, subject }) => [severity, subject])).toEqual([
      ['warning', 'connection to the engine'],
      ['warning', 'engine'],
      ['error', 'account at the engine'],
    ])
  })
})
