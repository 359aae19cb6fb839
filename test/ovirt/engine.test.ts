import { HttpResponse, http } from 'msw'
import { describe, expect, it } from 'vitest'
import { createEngine } from '../../src/ovirt/engine.ts'
import { api, config, fault, json, noSignal, useFakeEngine } from './fake-engine.ts'

const engine = useFakeEngine()

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
    expect(engine.bodies()[0]).toEqual({
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
