import { afterEach, expect, test, vi } from 'vitest'
import { anEngine, type Lab, passes, takeSnapshot } from './engine-support.ts'

afterEach(() => void vi.useRealTimers())

function post(lab: Lab, more: object = {}) {
  const event = { origin: 'lab', severity: 'normal', custom_id: 1, description: 'hello' }
  return lab.admin('POST', '/events', { ...event, ...more })
}

test('an external event gets the code of its severity', async () => {
  const lab = await anEngine()
  const codes = []
  for (const [custom_id, severity] of ['normal', 'warning', 'error', 'alert'].entries()) {
    const { status, json } = await post(lab, { severity, custom_id })
    expect(status).toBe(201)
    codes.push(json.code)
  }
  expect(codes).toEqual(['9801', '9802', '9803', '9804'])
})

test('origin and custom id together are unique for ever', async () => {
  const lab = await anEngine()
  expect((await post(lab)).status).toBe(201)
  const again = await post(lab, { description: 'another' })
  expect(again.status).toBe(400)
  expect(again.json.detail).toContain('this custom id already exists')
  expect((await post(lab, { origin: 'other' })).status).toBe(201)
})

test('the origin oVirt, a custom id beyond 32 bits and a missing field are refused', async () => {
  const lab = await anEngine()
  expect((await post(lab, { origin: 'oVirt' })).status).toBe(400)
  expect((await post(lab, { custom_id: Date.now() })).status).toBe(400)
  const { json } = await post(lab, { custom_id: null, severity: null })
  expect(json.detail).toBe('Event [severity, customId] required for add')
})

test('with flood rate 0 the second event within half a minute fails', async () => {
  const lab = await anEngine()
  expect((await post(lab, { flood_rate: 0 })).status).toBe(201)
  expect((await post(lab, { flood_rate: 0, custom_id: 2 })).status).toBe(400)
  expect((await post(lab, { custom_id: 3 })).status).toBe(201)
  await passes(31_000)
  expect((await post(lab, { flood_rate: 0, custom_id: 2 })).status).toBe(201)
})

test('an event colours the storage domain it names', async () => {
  const lab = await anEngine()
  const id = lab.world.hostDomain
  await post(lab, { storage_domain: { id, external_status: 'error' } })
  expect((await lab.admin('GET', `/storagedomains/${id}`)).json.external_status).toBe('error')
})

test('events come newest first, from an index, at most so many', async () => {
  const lab = await anEngine()
  for (let custom_id = 1; custom_id <= 4; custom_id++) await post(lab, { custom_id })
  const ids = async (query: string) =>
    (await lab.admin('GET', `/events${query}`)).json.event.map((event: { id: string }) => event.id)
  expect(await ids('?max=2')).toEqual(['4', '3'])
  expect(await ids(';from=2')).toEqual(['4', '3'])
})

test('from means the events after that index, and max the newest of those', async () => {
  const lab = await anEngine()
  for (let custom_id = 1; custom_id <= 5; custom_id++) await post(lab, { custom_id })
  const ids = async (query: string) =>
    ((await lab.admin('GET', `/events?${query}`)).json.event ?? []).map((event: { id: string }) => event.id)
  expect(await ids('from=1&max=2')).toEqual(['5', '4'])
  expect(await ids('from=5')).toEqual([])
  expect(await ids('from=0')).toEqual(['5', '4', '3', '2', '1'])
})

test('events after an index are sorted and paged as the search says', async () => {
  const lab = await anEngine()
  for (let custom_id = 1; custom_id <= 5; custom_id++) {
    await passes(1000)
    await post(lab, { custom_id })
  }
  const page = async (number: number) => {
    const search = encodeURIComponent(`sortby time asc page ${number}`)
    const { json } = await lab.admin('GET', `/events?from=1&max=2&search=${search}`)
    return (json.event ?? []).map((event: { id: string }) => event.id)
  }
  expect([await page(1), await page(2), await page(3)]).toEqual([['2', '3'], ['4', '5'], []])
})

test('an external job is opened, filled with steps and ended', async () => {
  const { admin } = await anEngine()
  const { status, json: job } = await admin('POST', '/jobs', { description: 'backup', auto_cleared: 'true' })
  expect([status, job.status, job.external, job.auto_cleared]).toEqual([201, 'started', 'true', 'true'])
  const step = await admin('POST', `/jobs/${job.id}/steps`, { description: 'one', type: 'executing' })
  const nested = { description: 'two', type: 'validating', parent_step: { id: step.json.id } }
  const below = await admin('POST', `/jobs/${job.id}/steps`, nested)
  expect(below.json.parent_step.id).toBe(step.json.id)
  await admin('POST', `/jobs/${job.id}/steps/${below.json.id}/end`, { succeeded: 'true' })
  await admin('POST', `/jobs/${job.id}/end`, { succeeded: 'false', force: 'true' })
  const steps = (await admin('GET', `/jobs/${job.id}/steps`)).json.step
  expect(steps.map((each: { status: string }) => each.status)).toEqual(['aborted', 'finished'])
  expect((await admin('GET', `/jobs/${job.id}`)).json.status).toBe('failed')
})

test('ending a job ignores the status in the body: it succeeded unless told otherwise', async () => {
  const { admin } = await anEngine()
  const { json } = await admin('POST', '/jobs', { description: 'backup' })
  await admin('POST', `/jobs/${json.id}/end`, { status: 'failed' })
  expect((await admin('GET', `/jobs/${json.id}`)).json.status).toBe('finished')
})

test("a job of the engine's own cannot be ended from outside", async () => {
  const lab = await anEngine()
  await takeSnapshot(lab, 'vm1')
  const [job] = (await lab.admin('GET', '/jobs')).json.job
  const { status, json } = await lab.admin('POST', `/jobs/${job.id}/end`, {})
  expect(status).toBe(400)
  expect(json.fault.detail).toContain('not an external job')
})

test('jobs are forgotten ten minutes after success and an hour after failure', async () => {
  const lab = await anEngine()
  await takeSnapshot(lab, 'vm1')
  lab.world.faults.arm({ at: 'snapshot', effect: 'fails' })
  await takeSnapshot(lab, 'vm2')
  const statuses = async () =>
    ((await lab.admin('GET', '/jobs')).json.job ?? []).map((job: { status: string }) => job.status)
  expect(await statuses()).toEqual(['finished', 'failed'])
  await passes(11 * 60_000)
  const as = await lab.as('admin@internal')
  expect(((await as('GET', '/jobs')).json.job ?? []).map((job: { status: string }) => job.status)).toEqual([
    'failed',
  ])
})

test('a job without auto-clearing stays until it is cleared', async () => {
  const lab = await anEngine()
  const { json } = await lab.admin('POST', '/jobs', { description: 'backup' })
  await lab.admin('POST', `/jobs/${json.id}/end`, {})
  await passes(2 * 3600_000)
  const admin = await lab.as('admin@internal')
  expect((await admin('GET', `/jobs/${json.id}`)).status).toBe(200)
  await admin('POST', `/jobs/${json.id}/clear`, {})
  expect((await admin('GET', `/jobs/${json.id}`)).status).toBe(404)
})

test('an action needs a body', async () => {
  const { admin } = await anEngine()
  const { json } = await admin('POST', '/jobs', { description: 'backup' })
  expect((await admin('POST', `/jobs/${json.id}/clear`, '')).status).toBe(400)
})

test('a correlation id with more than fifty characters is refused', async () => {
  const { admin, vm } = await anEngine()
  const path = `/vms/${vm('vm1').id}/snapshots?correlation_id=${'x'.repeat(51)}`
  expect((await admin('POST', path, { description: 'x' })).status).toBe(400)
})

test('a snapshot can run as a part of an external job', async () => {
  const lab = await anEngine()
  const { json: job } = await lab.admin('POST', '/jobs', { description: 'backup' })
  const path = `/vms/${lab.vm('vm1').id}/snapshots?JobId=${job.id}`
  await lab.admin('POST', path, { description: 'x', persist_memorystate: 'false' })
  await passes(5000)
  expect((await lab.admin('GET', '/jobs')).json.job).toHaveLength(1)
  expect((await lab.admin('GET', `/jobs/${job.id}`)).json.status).toBe('started')
  expect((await lab.admin('GET', `/jobs/${job.id}/steps`)).json.step[0].status).toBe('finished')
})
