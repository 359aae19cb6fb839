import { randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import type { Hypervisor } from '../../src/model/hypervisor.ts'
import type { StorageDomain, Vm } from '../../src/model/vm.ts'
import { look, orderFor, rowsOf, settled, signal, stateOf, vmOf, vmstore } from './hypervisor-looks.ts'
import type { MakeSubject } from './hypervisor-subject.ts'

/** The OVF_STORE, events, the Tasks pane, cancellation and the end of the session. */
export function tasksContract(start: MakeSubject): void {
  test('the job of an OVF_STORE update is seen by its tag, and finishes', async () => {
    const { hypervisor } = await start()
    await hypervisor.updateOvfStore(await vmstore(hypervisor), 'run-1', signal)
    const seen = await settled(hypervisor, await vmOf(hypervisor, 'web'), 'run-1')
    expect(stateOf(seen, 'run-1')).toBe('finished')
  })

  test('a guest is frozen and thawed, and thawing it again is no error', async () => {
    const { hypervisor } = await start()
    const web = await vmOf(hypervisor, 'web')
    await hypervisor.freeze(web, signal)
    await hypervisor.thaw(web, signal)
    await hypervisor.thaw(web, signal)
    await hypervisor.freeze(web, signal)
    await hypervisor.thaw(web, signal)
  })

  test('what happened to a VM since an event is told, and nothing older', async () => {
    const { hypervisor } = await start()
    const [web, db] = [await vmOf(hypervisor, 'web'), await vmOf(hypervisor, 'db')]
    await hypervisor.takeSnapshot(web, orderFor(web), 'run-1', signal)
    await settled(hypervisor, web, 'run-1')
    const last = await hypervisor.latestEvent(signal)
    expect(await hypervisor.eventsAfter(last, signal)).toEqual([])
    await hypervisor.takeSnapshot(db, orderFor(db), 'run-2', signal)
    await settled(hypervisor, db, 'run-2')
    const events = await hypervisor.eventsAfter(last, signal)
    expect(events).toContainEqual(expect.objectContaining({ vmId: db.id, meaning: 'snapshot taken' }))
    expect(events.filter(({ vmId }) => vmId === web.id)).toEqual([])
    expect(events.every(({ id }) => id > last)).toBe(true)
  })

  test('an announcement made twice under one number is posted once, as it was first', async () => {
    const { hypervisor, announced } = await start()
    const domain = await vmstore(hypervisor)
    const first = { severity: 'warning', text: '1 of 2 VMs protected', domain } as const
    await hypervisor.announce(first, 2 ** 31 - 1, signal)
    await hypervisor.announce({ ...first, text: 'again' }, 2 ** 31 - 1, signal)
    await hypervisor.announce({ severity: 'normal', text: 'without a domain' }, 7, signal)
    expect(announced()).toMatchObject([
      { number: 2 ** 31 - 1, severity: 'warning', text: '1 of 2 VMs protected' },
      { number: 7, severity: 'normal', text: 'without a domain' },
    ])
  })

  test('only our own open jobs are found by a part of their description', async () => {
    const { hypervisor, hold, release } = await start()
    const web = await vmOf(hypervisor, 'web')
    const ours = await hypervisor.openJob('backup of the contract, run 1', 'run-1', signal)
    await hypervisor.openJob('another one', 'run-2', signal)
    const closed = await hypervisor.openJob('backup of the contract, run 0', 'run-3', signal)
    await hypervisor.closeJob(closed, true, signal)
    // The engine describes its own job with the words of the snapshot.
    hold()
    await hypervisor.takeSnapshot(web, orderFor(web), 'run-4', signal)
    expect(await hypervisor.findJobs('of the contract', signal)).toEqual([ours])
    release()
  })

  test('a job of ours is found by another process', async () => {
    const { hypervisor, again } = await start()
    const id = await hypervisor.openJob('backup', 'run-1', signal)
    expect(await (await again()).findJobs('backup', signal)).toEqual([id])
  })

  test('a step is open until it is closed, and may be closed twice', async () => {
    const { hypervisor, openSteps } = await start()
    const job = await hypervisor.openJob('backup', 'run-1', signal)
    const step = await hypervisor.openStep(job, 'merge', 'run-2', signal)
    await hypervisor.openStep(job, 'announce', 'run-3', signal)
    expect(openSteps(job)).toBe(2)
    await hypervisor.closeStep(job, step, true, signal)
    await hypervisor.closeStep(job, step, true, signal)
    expect(openSteps(job)).toBe(1)
  })

  test.each([true, false])('closing a job closes its steps, also the second time (%s)', async (succeeded) => {
    const { hypervisor, openSteps } = await start()
    const job = await hypervisor.openJob('backup', 'run-1', signal)
    await hypervisor.openStep(job, 'merge', 'run-2', signal)
    await hypervisor.closeJob(job, succeeded, signal)
    await hypervisor.closeJob(job, succeeded, signal)
    expect(openSteps(job)).toBe(0)
    expect(await hypervisor.findJobs('backup', signal)).toEqual([])
  })

  test('closing a job that nobody knows is done already', async () => {
    const { hypervisor } = await start()
    await hypervisor.closeJob(randomUUID(), true, signal)
    expect(await hypervisor.findJobs('', signal)).toEqual([])
  })

  test('under an aborted signal every method does nothing but throw its reason', async () => {
    const { hypervisor, announced } = await start()
    const given = { domain: await vmstore(hypervisor), vm: await vmOf(hypervisor, 'web') }
    const reason = new Error('enough')
    for (const [method, call] of Object.entries(calls)) {
      await expect(call(hypervisor, given, AbortSignal.abort(reason)), method).rejects.toBe(reason)
    }
    expect(rowsOf(await look(hypervisor, given.vm))).toEqual([])
    expect([announced(), await hypervisor.findJobs('', signal)]).toEqual([[], []])
  })

  test('the session is ended before, after and twice without an error', async () => {
    const { hypervisor } = await start()
    await hypervisor.close()
    await hypervisor.about(signal)
    await hypervisor.close()
    await hypervisor.close()
    expect(await hypervisor.about(signal)).toMatch(/./)
  })
}

type Given = { domain: StorageDomain; vm: Vm }

const calls = {
  about: (on, _given, aborted) => on.about(aborted),
  findings: (on, _given, aborted) => on.findings(aborted),
  domains: (on, _given, aborted) => on.domains(aborted),
  vms: (on, { domain }, aborted) => on.vms(domain, aborted),
  observe: (on, { vm }, aborted) => on.observe([vm], 'run-', aborted),
  findVms: (on, _given, aborted) => on.findVms(['web'], aborted),
  clusters: (on, _given, aborted) => on.clusters(aborted),
  tagged: (on, _given, aborted) => on.tagged('gold', aborted),
  tag: (on, { vm }, aborted) => on.tag(vm, 'gold', aborted),
  untag: (on, { vm }, aborted) => on.untag(vm, 'gold', aborted),
  isGone: (on, { vm }, aborted) => on.isGone(vm, aborted),
  latestEvent: (on, _given, aborted) => on.latestEvent(aborted),
  eventsAfter: (on, _given, aborted) => on.eventsAfter(0, aborted),
  freeze: (on, { vm }, aborted) => on.freeze(vm, aborted),
  thaw: (on, { vm }, aborted) => on.thaw(vm, aborted),
  updateOvfStore: (on, { domain }, aborted) => on.updateOvfStore(domain, 'run-1', aborted),
  takeSnapshot: (on, { vm }, aborted) => on.takeSnapshot(vm, orderFor(vm), 'run-1', aborted),
  removeSnapshot: (on, { vm }, aborted) => on.removeSnapshot(vm, randomUUID(), 'run-1', aborted),
  announce: (on, _given, aborted) => on.announce({ severity: 'normal', text: 'x' }, 1, aborted),
  openJob: (on, _given, aborted) => on.openJob('backup', 'run-1', aborted),
  findJobs: (on, _given, aborted) => on.findJobs('', aborted),
  openStep: (on, _given, aborted) => on.openStep(randomUUID(), 'merge', 'run-1', aborted),
  closeStep: (on, _given, aborted) => on.closeStep(randomUUID(), randomUUID(), true, aborted),
  closeJob: (on, _given, aborted) => on.closeJob(randomUUID(), true, aborted),
} satisfies Record<
  Exclude<keyof Hypervisor, 'layout' | 'format' | 'close'>,
  (on: Hypervisor, given: Given, aborted: AbortSignal) => Promise<unknown>
>
