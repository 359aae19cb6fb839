import { afterEach, expect, test, vi } from 'vitest'
import { anEngine, type Lab, passes } from './engine-support.ts'

afterEach(() => void vi.useRealTimers())

/** Lets something happen to a VM from outside; returns the answer's status. */
async function happens(lab: Lab, name: string, act: string, body?: object): Promise<number> {
  const answer = lab.steer('POST', `/vms/${name}/${act}`, body)
  await passes(3000)
  return (await answer).status
}

/** The codes of the events about a VM, oldest first, as the API shows them. */
async function codesOf(lab: Lab, name: string): Promise<string[]> {
  const { id } = lab.vm(name)
  const { json } = await lab.admin('GET', '/events')
  const about = (json.event ?? []).filter((event: { vm?: { id: string } }) => event.vm?.id === id)
  return about.map((event: { code: string }) => event.code).reverse()
}

test('a start leaves two events: begun, and up on its host', async () => {
  const lab = await anEngine()
  await happens(lab, 'idle', 'start')
  expect(await codesOf(lab, 'idle')).toEqual(['153', '32'])
})

test('a VM powered off from a console leaves 33 and 61, one that shuts down by itself only 61', async () => {
  const lab = await anEngine()
  await happens(lab, 'vm1', 'stop')
  await lab.admin('POST', `/vms/${lab.vm('vm2').id}/stop`, {})
  await passes(1000)
  expect([await codesOf(lab, 'vm1'), await codesOf(lab, 'vm2')]).toEqual([['61'], ['33', '61']])
})

test('a crash leaves a VM that is down with error 119', async () => {
  const lab = await anEngine()
  await happens(lab, 'vm1', 'crash')
  expect([lab.vm('vm1').status, lab.host.vms.has(lab.vm('vm1').id)]).toEqual(['down', false])
  const [event] = (await lab.admin('GET', '/events')).json.event
  expect(event).toMatchObject({ code: '119', severity: 'error', vm: { name: 'vm1' } })
})

test.each([
  ['no space', ['1025', '138']],
  ['io', ['1025', '145']],
  ['other', ['1025', '139']],
  ['permission', ['1025', '146']],
  ['none', ['1025']],
])('a pause for the reason "%s" leaves its events and a guest that stands still', async (reason, codes) => {
  const lab = await anEngine()
  await happens(lab, 'vm1', 'pause', { reason })
  expect(await codesOf(lab, 'vm1')).toEqual(codes)
  expect(lab.host.vms.get(lab.vm('vm1').id)?.paused).toBe(true)
})

test('a paused VM goes on with event 196 by itself, with 40 when started from a console', async () => {
  const lab = await anEngine()
  await happens(lab, 'vm1', 'pause', { reason: 'none' })
  await happens(lab, 'vm1', 'resume')
  await happens(lab, 'vm2', 'pause', { reason: 'none' })
  await lab.admin('POST', `/vms/${lab.vm('vm2').id}/start`, {})
  await passes(1000)
  expect([await codesOf(lab, 'vm1'), await codesOf(lab, 'vm2')]).toEqual([
    ['1025', '196'],
    ['1025', '40'],
  ])
  expect([lab.vm('vm1').status, lab.vm('vm2').status]).toEqual(['up', 'up'])
  expect(lab.host.vms.get(lab.vm('vm2').id)?.paused).toBe(false)
})

test('a disk added to a running VM is plugged with event 2000, to one that is down it is only added', async () => {
  const lab = await anEngine()
  await happens(lab, 'vm1', 'hotplug')
  await happens(lab, 'idle', 'hotplug')
  expect([await codesOf(lab, 'vm1'), await codesOf(lab, 'idle')]).toEqual([
    ['78', '97', '2000'],
    ['78', '97'],
  ])
})

test('a migration takes a while and ends on the other host', async () => {
  const lab = await anEngine()
  const before = lab.vm('vm1').host
  const answer = lab.steer('POST', '/vms/vm1/migrate')
  await passes(500)
  expect(lab.vm('vm1').status).toBe('migrating')
  await passes(1000)
  await answer
  expect(lab.vm('vm1')).toMatchObject({ status: 'up' })
  expect(lab.vm('vm1').host).not.toBe(before)
  expect(await codesOf(lab, 'vm1')).toEqual(['62', '63'])
})

test('a moved disk is locked meanwhile and belongs to another domain then', async () => {
  const lab = await anEngine()
  const [disk] = [...lab.vm('vm1').attachments.keys()].map((id) => lab.world.disks.get(id))
  const answer = lab.steer('POST', '/vms/vm1/move-disk')
  await passes(500)
  expect(disk?.status).toBe('locked')
  await passes(1000)
  await answer
  expect([disk?.status, lab.world.domains.get(disk?.domain ?? '')?.name]).toEqual(['ok', 'archive'])
  expect(await codesOf(lab, 'vm1')).toEqual(['2008', '2010'])
})

test('what cannot happen to a VM is refused', async () => {
  const lab = await anEngine()
  const answers = [
    await happens(lab, 'vm1', 'resume'),
    await happens(lab, 'idle', 'pause'),
    await happens(lab, 'idle', 'crash'),
    await happens(lab, 'vm1', 'explode'),
    await happens(lab, 'nobody', 'start'),
  ]
  expect(answers).toEqual([400, 400, 400, 400, 400])
})

test('a VM is not migrated while a snapshot of it is made or removed, as the engine holds it then', async () => {
  const lab = await anEngine()
  lab.vm('vm1').lock = 'Related operation is currently in progress.'
  expect(await happens(lab, 'vm1', 'migrate')).toBe(400)
  expect(lab.vm('vm1').status).toBe('up')
  lab.vm('vm1').lock = undefined
  expect(await happens(lab, 'vm1', 'migrate')).toBe(204)
})
