import { afterEach, expect, test, vi } from 'vitest'
import { anEngine, diskOf, type Lab, passes, takeSnapshot } from './engine-support.ts'

afterEach(() => void vi.useRealTimers())

function update(lab: Lab) {
  return lab.admin('POST', `/storagedomains/${lab.world.hostDomain}/updateovfstore`, {})
}

/** What both stores hold: they must be the same. */
function stores(lab: Lab): { name: string; content: string }[] {
  const [first, second] = [...lab.host.ovfStores.values()]
  expect(second).toEqual(first)
  return first?.members ?? []
}

function ovf(lab: Lab, name: string): string {
  return stores(lab).find((member) => member.name === `${lab.vm(name).id}.ovf`)?.content ?? ''
}

test('a domain starts with two stores that name every VM on it and who runs', async () => {
  const lab = await anEngine()
  const names = stores(lab).map(({ name }) => name)
  expect(names.slice(0, 2)).toEqual(['info.json', 'metadata.json'])
  expect(names).toContain(`${lab.vm('idle').id}.ovf`)
  expect(names).not.toContain(`${lab.vm('HostedEngine').id}.ovf`)
  const running = JSON.parse(stores(lab)[1]?.content ?? '')['VM Status']
  expect(running).toHaveProperty(lab.vm('vm1').id)
  expect(running).not.toHaveProperty(lab.vm('idle').id)
})

test('the document names image and volume in clear', async () => {
  const lab = await anEngine()
  const { id, image_id: volume } = await diskOf(lab, 'vm1')
  expect(ovf(lab, 'vm1')).toContain(`<File ovf:href="${id}/${volume}" ovf:id="${volume}"`)
  expect(ovf(lab, 'vm1')).toContain(`<Disk ovf:diskId="${volume}"`)
  expect(ovf(lab, 'vm1')).toContain('<Name>vm1</Name>')
})

test('an update answers 200 with a job before anything is written', async () => {
  const lab = await anEngine()
  await takeSnapshot(lab, 'vm1')
  const before = stores(lab)
  const { status, json } = await update(lab)
  expect([status, json.status]).toEqual([200, 'complete'])
  expect(stores(lab)).toBe(before)
  await passes(1000)
  expect((await lab.admin('GET', `/jobs/${json.job.id}`)).json.status).toBe('finished')
  expect(stores(lab)).not.toBe(before)
})

test('after a snapshot the store names the overlay and keeps the base in the snapshot', async () => {
  const lab = await anEngine()
  const { image_id: base } = await diskOf(lab, 'vm1')
  await takeSnapshot(lab, 'vm1')
  const { image_id: overlay } = await diskOf(lab, 'vm1')
  await update(lab)
  await passes(1000)
  expect(ovf(lab, 'vm1')).toContain(overlay)
  const copy = /<VmConfiguration>([^<]+)</.exec(ovf(lab, 'vm1'))?.[1] ?? ''
  const kept = Buffer.from(copy, 'base64').toString()
  expect(kept).toContain(base)
  expect(kept).not.toContain(overlay)
})

test('a VM whose snapshot is not ok keeps its old document', async () => {
  const lab = await anEngine()
  const old = ovf(lab, 'vm1')
  await takeSnapshot(lab, 'vm2')
  lab.world.faults.arm({ at: 'freeze', effect: 'hangs', vm: 'vm1' })
  await lab.admin('POST', `/vms/${lab.vm('vm1').id}/snapshots`, {
    description: 'x',
    persist_memorystate: 'false',
  })
  await update(lab)
  await passes(1000)
  expect(ovf(lab, 'vm1')).toBe(old)
})

test('with nothing to update the stores are left alone and event 1052 says so', async () => {
  const lab = await anEngine()
  const before = stores(lab)
  await update(lab)
  await passes(1000)
  expect(stores(lab)).toBe(before)
  expect(lab.world.events.map(({ code }) => code)).toEqual([1052])
})

test('a second update meanwhile is 409, nested in an action', async () => {
  const lab = await anEngine()
  await update(lab)
  const { status, json } = await update(lab)
  expect([status, json.status]).toEqual([409, 'failed'])
  expect(json.fault.detail).toContain('Related operation is currently in progress')
})

test('an update that fails leaves event 1016 and a failed job', async () => {
  const lab = await anEngine()
  await takeSnapshot(lab, 'vm1')
  lab.world.faults.arm({ at: 'ovf', effect: 'fails' })
  const { json } = await update(lab)
  await passes(1000)
  expect((await lab.admin('GET', `/jobs/${json.job.id}`)).json.status).toBe('failed')
  expect(lab.world.events.map(({ code }) => code)).toContain(1016)
})

test('the timer can be made to strike now: it writes at once, without a job or an event', async () => {
  const lab = await anEngine()
  await takeSnapshot(lab, 'vm1')
  const { image_id: overlay } = await diskOf(lab, 'vm1')
  const before = { events: lab.world.events.length, jobs: lab.world.jobs.size }
  const { json } = await lab.steer('POST', '/ovf-timer')
  expect(json).toEqual({ domains: [{ name: 'vmstore', written: true }] })
  expect(ovf(lab, 'vm1')).toContain(overlay)
  expect({ events: lab.world.events.length, jobs: lab.world.jobs.size }).toEqual(before)
  expect((await lab.steer('POST', '/ovf-timer')).json.domains[0].written).toBe(false)
})

test('the timer leaves a VM whose snapshot is not ok its old document, and out a domain being updated', async () => {
  const lab = await anEngine()
  const old = ovf(lab, 'vm1')
  await takeSnapshot(lab, 'vm2')
  lab.world.faults.arm({ at: 'freeze', effect: 'hangs', vm: 'vm1' })
  const body = { description: 'x', persist_memorystate: 'false' }
  await lab.admin('POST', `/vms/${lab.vm('vm1').id}/snapshots`, body)
  await lab.steer('POST', '/ovf-timer')
  expect(ovf(lab, 'vm1')).toBe(old)
  await update(lab)
  expect((await lab.steer('POST', '/ovf-timer')).json.domains).toEqual([])
})

test('an engine with a timer updates by itself, at the worst moment too', async () => {
  const lab = await anEngine({ settings: { ovfEveryMs: 60_000 } })
  await takeSnapshot(lab, 'vm1')
  const { image_id: overlay } = await diskOf(lab, 'vm1')
  await passes(61_000)
  expect(ovf(lab, 'vm1')).toContain(overlay)
})
