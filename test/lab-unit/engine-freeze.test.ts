import { afterEach, expect, test, vi } from 'vitest'
import { anEngine, type Lab, passes, takeSnapshot } from './engine-support.ts'

afterEach(() => void vi.useRealTimers())

function ask(lab: Lab, name: string, action: 'freezefilesystems' | 'thawfilesystems') {
  return lab.admin('POST', `/vms/${lab.vm(name).id}/${action}`, {})
}

function isFrozen(lab: Lab, name: string): boolean | undefined {
  return lab.host.vms.get(lab.vm(name).id)?.frozen
}

test('freezing and thawing on request answer as an action', async () => {
  const lab = await anEngine()
  expect((await ask(lab, 'vm1', 'freezefilesystems')).json).toMatchObject({ status: 'complete' })
  expect(isFrozen(lab, 'vm1')).toBe(true)
  expect((await ask(lab, 'vm1', 'thawfilesystems')).json).toMatchObject({ status: 'complete' })
  expect(isFrozen(lab, 'vm1')).toBe(false)
})

test('thawing a guest that is not frozen is no failure', async () => {
  const lab = await anEngine()
  expect((await ask(lab, 'vm1', 'thawfilesystems')).json.status).toBe('complete')
})

test('a guest without an agent and a paused one are not frozen: 400, nested in an action', async () => {
  const lab = await anEngine()
  await lab.steer('POST', '/vms/vm1/pause')
  for (const name of ['special', 'vm1']) {
    const failed = await ask(lab, name, 'freezefilesystems')
    expect([failed.status, failed.json.status]).toEqual([400, 'failed'])
    expect(failed.json.fault.detail).toContain('agent')
  }
})

test('a VM that is down is not frozen: 409, nested in an action', async () => {
  const lab = await anEngine()
  const failed = await ask(lab, 'idle', 'freezefilesystems')
  expect([failed.status, failed.json.status]).toEqual([409, 'failed'])
  expect(failed.json.fault.detail).toContain('not running')
})

test('a frozen guest refuses a second freeze', async () => {
  const lab = await anEngine()
  await ask(lab, 'vm1', 'freezefilesystems')
  const again = await ask(lab, 'vm1', 'freezefilesystems')
  expect([again.status, again.json.fault.detail]).toEqual([400, expect.stringContaining('already quiesced')])
  expect(isFrozen(lab, 'vm1')).toBe(true)
})

test('a snapshot of a guest that somebody froze goes on, and thaws it in the end', async () => {
  const lab = await anEngine()
  await ask(lab, 'vm1', 'freezefilesystems')
  await takeSnapshot(lab, 'vm1')
  expect(lab.vm('vm1').snapshots[0]?.status).toBe('ok')
  expect(isFrozen(lab, 'vm1')).toBe(false)
})

test('a snapshot thaws a guest whose agent froze it and answered too late', async () => {
  const lab = await anEngine()
  lab.world.faults.arm({ at: 'freeze', effect: 'fails frozen' })
  await takeSnapshot(lab, 'vm1')
  expect(isFrozen(lab, 'vm1')).toBe(false)
})

test('a snapshot whose switch fails thaws too', async () => {
  const lab = await anEngine()
  await ask(lab, 'vm1', 'freezefilesystems')
  lab.world.faults.arm({ at: 'live', effect: 'fails' })
  await takeSnapshot(lab, 'vm1')
  expect(isFrozen(lab, 'vm1')).toBe(false)
})

test('a snapshot with memory stops the guest and neither freezes nor thaws', async () => {
  const lab = await anEngine()
  await ask(lab, 'vm1', 'freezefilesystems')
  const path = `/vms/${lab.vm('vm1').id}/snapshots`
  await lab.admin('POST', path, { description: 'with memory', persist_memorystate: true })
  await passes(1000)
  expect(lab.host.vms.get(lab.vm('vm1').id)).toMatchObject({ paused: true, frozen: true })
  await passes(5000)
  expect(lab.host.vms.get(lab.vm('vm1').id)).toMatchObject({ paused: false, frozen: true })
})

test('an engine that freezes by itself tells when the thaw failed', async () => {
  const lab = await anEngine({ settings: { freezeInEngine: true } })
  await takeSnapshot(lab, 'special')
  const codes = lab.world.events.map(({ code }) => code)
  expect(codes).toEqual([45, 10766, 10764, 10765, 68])
})

test('a guest shows what its agent tells only if it has one and runs', async () => {
  const lab = await anEngine()
  const told = async (name: string) => (await lab.admin('GET', `/vms/${lab.vm(name).id}`)).json.fqdn
  expect([await told('vm1'), await told('special'), await told('idle')]).toEqual([
    expect.any(String),
    undefined,
    undefined,
  ])
})
