import { afterEach, expect, test, vi } from 'vitest'
import { createControl } from '../../src/lab/engine/control.ts'
import { anEngine, diskOf, passes, takeSnapshot } from './engine-support.ts'

afterEach(() => void vi.useRealTimers())

test('a fault ordered for a request strikes as often as ordered', async () => {
  const { admin, steer } = await anEngine()
  const fault = {
    at: 'request',
    match: { method: 'GET', path: '.*/clusters.*' },
    effect: { kind: 'status', status: 503 },
    times: 2,
  }
  expect((await steer('POST', '/faults', fault)).status).toBe(200)
  const statuses = []
  for (let attempt = 0; attempt < 3; attempt++) statuses.push((await admin('GET', '/clusters')).status)
  expect(statuses).toEqual([503, 503, 200])
  expect((await admin('GET', '/hosts')).status).toBe(200)
})

test('a connection can be dropped after the engine has acted', async () => {
  const { admin, steer, vm } = await anEngine()
  const match = { method: 'POST', path: '.*/snapshots.*' }
  await steer('POST', '/faults', { at: 'response', match, effect: { kind: 'drop' } })
  const { status } = await admin('POST', `/vms/${vm('vm1').id}/snapshots`, { description: 'x' })
  expect(status).toBe(0)
  expect(vm('vm1').snapshots).toHaveLength(2)
})

test('a delay and another fault add up', async () => {
  const { admin, steer } = await anEngine()
  const match = { path: '.*/hosts' }
  await steer('POST', '/faults', { at: 'request', match, effect: { kind: 'delay', ms: 5000 } })
  await steer('POST', '/faults', { at: 'request', match, effect: { kind: 'html 401' } })
  const answer = admin('GET', '/hosts')
  await passes(4999)
  const early = await Promise.race([answer, Promise.resolve('waits')])
  expect(early).toBe('waits')
  await passes(1)
  expect((await answer).headers.get('content-type')).toContain('text/html')
})

test('a conflict looks like one of the engine', async () => {
  const { admin, steer, vm } = await anEngine()
  await steer('POST', '/faults', { at: 'request', match: { method: 'POST' }, effect: { kind: 'conflict' } })
  const { status, json } = await admin('POST', `/vms/${vm('vm1').id}/snapshots`, { description: 'x' })
  expect(status).toBe(409)
  expect(json.detail).toContain('Related operation is currently in progress')
})

test('a VM can be started and another plugged with a disk by a request for something else', async () => {
  const { admin, steer, vm } = await anEngine()
  const match = { path: '.*/clusters' }
  await steer('POST', '/faults', { at: 'request', match, effect: { kind: 'vm', vm: 'vm1', act: 'hotplug' } })
  await steer('POST', '/faults', { at: 'request', match, effect: { kind: 'vm', vm: 'idle', act: 'start' } })
  const answer = admin('GET', '/clusters')
  await passes(2000)
  expect((await answer).status).toBe(200)
  expect([vm('idle').status, vm('vm1').attachments.size]).toEqual(['up', 2])
})

test('faults can be skipped at first, listed and cleared', async () => {
  const { admin, steer } = await anEngine()
  const fault = { at: 'request', match: {}, effect: { kind: 'status', status: 500 }, skip: 1, times: 0 }
  await steer('POST', '/faults', fault)
  expect([(await admin('GET', '/hosts')).status, (await admin('GET', '/hosts')).status]).toEqual([200, 500])
  expect((await steer('GET', '/faults')).json.faults[0]).toMatchObject({ struck: 1 })
  await steer('DELETE', '/faults')
  expect((await admin('GET', '/hosts')).status).toBe(200)
})

test('a fault that nobody knows is refused', async () => {
  const { steer } = await anEngine()
  expect((await steer('POST', '/faults', { at: 'moon', effect: 'falls' })).status).toBe(400)
})

test('the log tells the requests that may have changed something', async () => {
  const lab = await anEngine()
  await lab.steer('DELETE', '/requests')
  await lab.admin('GET', '/vms')
  expect((await lab.steer('GET', '/requests?changes')).json.requests).toEqual([])
  await takeSnapshot(lab, 'vm1')
  const [change] = (await lab.steer('GET', '/requests?changes')).json.requests
  expect(change).toMatchObject({ method: 'POST', status: 201, user: 'admin@internal' })
})

test('the world tells VMs with their chains and the volumes of the OVF stores', async () => {
  const lab = await anEngine()
  await takeSnapshot(lab, 'vm1')
  const { json } = await lab.steer('GET', '/world')
  const vm = json.vms.find((each: { name: string }) => each.name === 'vm1')
  expect(vm.disks[0].chain.map((each: { format: string }) => each.format)).toEqual(['raw', 'cow'])
  expect(json.domains[0]).toMatchObject({ name: 'vmstore', onHost: true })
  expect(json.domains[0].ovfStores.map((each: { volume: string }) => each.volume)).toEqual([
    ...lab.host.ovfStores.keys(),
  ])
})

test('VMs are stopped, started and paused from outside', async () => {
  const { steer, vm, host } = await anEngine()
  const stopped = steer('POST', '/vms/vm1/stop')
  await passes(1000)
  await stopped
  expect([vm('vm1').status, host.vms.has(vm('vm1').id)]).toEqual(['down', false])
  const started = steer('POST', '/vms/vm1/start')
  await passes(2000)
  await started
  expect([vm('vm1').status, host.vms.has(vm('vm1').id)]).toEqual(['up', true])
  await steer('POST', '/vms/vm1/pause')
  expect(vm('vm1').status).toBe('paused')
})

test('what another administrator does passes by the log and the faults of requests', async () => {
  const { steer, vm, world } = await anEngine()
  await steer('DELETE', '/requests')
  await steer('POST', '/faults', {
    at: 'request',
    match: {},
    effect: { kind: 'status', status: 503 },
    times: 0,
  })
  const body = { description: 'foreign', persist_memorystate: false }
  const path = `/vms/${vm('vm1').id}/snapshots`
  const taken = await steer('POST', '/api', { method: 'POST', path, body })
  expect(taken.json).toMatchObject({ description: 'foreign', snapshot_status: 'locked' })
  expect((await steer('GET', '/requests')).json.requests).toEqual([])
  expect(world.events.map(({ code }) => code)).toEqual([45])
})

test('another administrator is told why the engine refuses', async () => {
  const { steer, vm } = await anEngine()
  const path = `/vms/${vm('idle').id}/stop`
  const { status, json } = await steer('POST', '/api', { method: 'POST', path, body: {} })
  expect([status, json.error]).toEqual([400, expect.stringContaining('409')])
  expect(json.error).toContain('VM is not running')
})

test('a VM that stops during a merge fails it, and the merge goes on cold when asked again', async () => {
  const lab = await anEngine()
  const { image_id: base } = await diskOf(lab, 'vm1')
  const { id } = await takeSnapshot(lab, 'vm1')
  const path = `/vms/${lab.vm('vm1').id}/snapshots/${id}`
  await lab.admin('DELETE', path)
  await lab.host.stop(lab.vm('vm1').id)
  await passes(10_000)
  expect((await lab.admin('GET', path)).json.snapshot_status).toBe('ok')
  lab.vm('vm1').status = 'down'
  await lab.admin('DELETE', path)
  await passes(10_000)
  expect((await diskOf(lab, 'vm1')).image_id).toBe(base)
})

test('other parts of the lab add routes', async () => {
  const lab = await anEngine()
  const route = {
    method: 'GET',
    path: /\/writers\/([^/]+)/,
    handle: ({ params }: { params: string[] }) => params,
  }
  const control = createControl({ world: lab.world, log: lab.log, signOn: lab.signOn, routes: [route] })
  expect(await (await control(new Request('http://lab/writers/vm1'))).json()).toEqual(['vm1'])
})
