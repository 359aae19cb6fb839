import { describe, expect, test } from 'vitest'
import { createStage } from '../support/stage.ts'
import { aVm } from '../support/vms.ts'

const withAgent = () => aVm('web', { guestAgent: true })

/** What one run does to the guest of `web`, and what it says of it. */
async function ran(
  freeze: 'try' | 'require' | 'no',
  { vm = withAgent(), fault, snapshot }: Faults = {},
  options: { freezeMs?: number } = {},
) {
  await using stage = await createStage([vm])
  if (fault !== undefined) stage.engine.faults.freeze['web'] = fault
  if (snapshot !== undefined) stage.engine.faults.snapshot['web'] = snapshot
  const report = await stage.run({ freeze, ...options })
  const [web] = report.vms
  const acts = stage.engine.world.acts.filter((act) => / web$/.test(act))
  return { web, acts, frozen: stage.engine.world.frozen, owed: stage.owed() }
}

interface Faults {
  vm?: ReturnType<typeof aVm>
  fault?: 'refused' | 'hangs' | 'late no' | 'mute'
  snapshot?: 'refused' | 'job fails' | 'never ends' | 'answer lost'
}

describe('with freeze = try', () => {
  test('a guest that freezes is frozen before its snapshot, thawed after it, and its copy is "frozen"', async () => {
    const { web, acts, frozen, owed } = await ran('try')
    expect(web).toMatchObject({ state: 'protected', consistency: 'frozen' })
    expect(web).not.toHaveProperty('why')
    expect(acts.slice(0, 3)).toEqual(['freeze web', 'snapshot web', 'thaw web'])
    expect([frozen, owed]).toEqual([[], []])
  })

  test.each<[string, Faults, string]>([
    ['has no agent', { vm: aVm('web') }, 'no guest agent has reported'],
    ['is paused', { vm: aVm('web', { guestAgent: true, status: 'paused' }) }, 'the VM is paused'],
    ['refuses', { fault: 'refused' }, 'the agent says no'],
    ['freezes and answers too late', { fault: 'late no' }, 'the agent says no'],
    ['answers nothing at all', { fault: 'mute' }, 'the agent says no'],
    ['does not answer in time', { fault: 'hangs' }, 'did not freeze within 0.05 s'],
  ])('the copy of a guest that %s is "crash", and says why', async (_what, faults, words) => {
    const { web, frozen, owed } = await ran('try', faults, { freezeMs: 50 })
    expect(web).toMatchObject({
      state: 'protected',
      consistency: 'crash',
      why: expect.stringMatching(`not frozen: .*${words}`),
    })
    expect([frozen, owed]).toEqual([[], []])
  })

  test.each(['refused', 'job fails', 'never ends', 'answer lost'] as const)(
    'a guest is thawed although its snapshot fails: %s',
    async (snapshot) => {
      const { acts, frozen, owed } = await ran('try', { snapshot })
      expect(acts).toContain('thaw web')
      expect(frozen).toEqual([])
      expect(owed).not.toContain('freeze')
    },
  )
})

describe('with freeze = require', () => {
  test('a guest that freezes is protected', async () => {
    const { web } = await ran('require')
    expect(web).toMatchObject({ state: 'protected', consistency: 'frozen' })
  })

  test.each<[string, Faults]>([
    ['has no agent', { vm: aVm('web') }],
    ['refuses', { fault: 'refused' }],
    ['freezes and answers too late', { fault: 'late no' }],
    ['does not answer in time', { fault: 'hangs' }],
  ])('a VM whose guest %s fails without a snapshot', async (_what, faults) => {
    const { web, acts, frozen } = await ran('require', faults, { freezeMs: 50 })
    expect(web).toMatchObject({
      state: 'failed',
      why: expect.stringContaining('its guest could not be frozen'),
    })
    expect(acts).not.toContain('snapshot web')
    expect(frozen).toEqual([])
  })
})

test('with freeze = no, no guest is asked, and its copy is "crash"', async () => {
  const { web, acts } = await ran('no')
  expect(web).toMatchObject({ consistency: 'crash', why: expect.stringContaining('switched off') })
  expect(acts).not.toContain('freeze web')
})

test('a guest that stays frozen longer than it may is thawed while its snapshot is still made', async () => {
  await using stage = await createStage([withAgent()])
  stage.engine.faults.looks = 3
  const { observe } = stage.engine.hypervisor
  // The fake clock takes no time: let the looks take some.
  stage.engine.hypervisor.observe = async (...args) => {
    await new Promise((resolve) => setTimeout(resolve, 40))
    return observe(...args)
  }
  const report = await stage.run({ freezeMs: 30 })
  expect(report.vms).toMatchObject([
    { state: 'protected', consistency: 'crash', why: expect.stringContaining('longer than the 0.03 s') },
  ])
  expect(stage.engine.world.frozen).toEqual([])
})

test('a thaw that fails is told, owed, and done by the next run', async () => {
  await using stage = await createStage([withAgent()])
  stage.engine.faults.failing.thaw = 'no route to the host'
  await stage.run()
  expect(stage.events).toContainEqual(
    expect.objectContaining({ kind: 'note', text: expect.stringContaining('may still be frozen') }),
  )
  expect(stage.owed()).toContain('freeze')
  delete stage.engine.faults.failing.thaw
  await stage.run()
  expect(stage.owed()).toEqual([])
  expect(stage.engine.world.frozen).toEqual([])
})

test('a run that is cancelled while it freezes thaws in the end', async () => {
  await using stage = await createStage([withAgent()])
  stage.engine.faults.freeze['web'] = 'hangs'
  const cancelled = new AbortController()
  const { freeze } = stage.engine.hypervisor
  stage.engine.hypervisor.freeze = (...args) => {
    setTimeout(() => cancelled.abort(new Error('enough')), 20)
    return freeze(...args)
  }
  await stage.run({}, { signal: cancelled.signal })
  expect(stage.engine.world.frozen).toEqual([])
  expect(stage.owed()).not.toContain('freeze')
})

test('an agent that answers neither freeze nor thaw is told, and not asked again at every start', async () => {
  await using stage = await createStage([withAgent()])
  stage.engine.faults.freeze['web'] = 'mute'
  const report = await stage.run()
  expect(report.warnings.join()).toContain('the guest of VM web may still be frozen: [no answer to a thaw]')
  expect([report.leftOpen, stage.owed()]).toEqual([[], []])
})

test('a thaw that fails once is tried again before anything is replicated', async () => {
  await using stage = await createStage([withAgent()])
  const { thaw } = stage.engine.hypervisor
  let tries = 0
  stage.engine.hypervisor.thaw = async (...args) => {
    tries += 1
    if (tries === 1) throw new Error('the engine restarts')
    await thaw(...args)
  }
  const frozenAt: string[][] = []
  await stage.run(
    {},
    {
      onEvent(event) {
        if (event.kind === 'step began' && event.step === 'withdraw earlier points')
          frozenAt.push([...stage.engine.world.frozen])
      },
    },
  )
  expect([tries, frozenAt]).toEqual([2, [[]]])
})

test('one guest that hangs spoils no other: their snapshots are seen and they are thawed meanwhile', async () => {
  const names = ['a', 'b', 'c', 'd']
  await using stage = await createStage(names.map((name) => aVm(name, { guestAgent: true })))
  stage.engine.faults.freeze['b'] = 'hangs'
  const report = await stage.run({ freeze: 'require', freezeMs: 300, snapshotsAtOnce: 4 })
  expect(report.vms.map(({ name, state }) => [name, state])).toEqual([
    ['a', 'protected'],
    ['b', 'failed'],
    ['c', 'protected'],
    ['d', 'protected'],
  ])
  expect(stage.engine.world.frozen).toEqual([])
})

test('a guest whose thaw hangs keeps no other one frozen', async () => {
  const names = ['a', 'b', 'c', 'd', 'e', 'f']
  const vms = names.map((name) => aVm(name, { guestAgent: true }))
  await using stage = await createStage(vms)
  const { thaw } = stage.engine.hypervisor
  const thawed: string[] = []
  const others = Promise.withResolvers<void>()
  stage.engine.hypervisor.thaw = async (vm, signal) => {
    // It answers when all others have been thawed, and else never.
    if (vm.name === 'a') await others.promise
    await thaw(vm, signal)
    thawed.push(vm.name)
    if (thawed.length === names.length - 1) others.resolve()
  }
  const report = await stage.run({ snapshotsAtOnce: 2 })
  expect(thawed).toEqual([...names.slice(1), 'a'])
  expect(report.vms.map((vm) => vm.state === 'protected' && vm.consistency)).toEqual(
    names.map(() => 'frozen'),
  )
})
