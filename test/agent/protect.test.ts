import { afterEach, describe, expect, test } from 'vitest'
import { protectVms, unprotectVms } from '../../src/agent/protect.ts'
import { Refused, Unknown } from '../../src/model/errors.ts'
import type { Policy } from '../../src/model/selection.ts'
import { createStage } from '../support/stage.ts'
import { aVm, uuidOf } from '../support/vms.ts'

const gold: Policy = { name: 'gold', tag: 'vmbackup-gold', rpoMs: 3_600_000 }
const silver: Policy = { name: 'silver', tag: 'vmbackup-silver', rpoMs: 14_400_000 }
const both = [gold, silver]
const { signal } = new AbortController()

type Stage = Awaited<ReturnType<typeof createStage>>
const stages: Stage[] = []
afterEach(async () => {
  for (const stage of stages.splice(0)) await stage[Symbol.asyncDispose]()
})

async function anEngine(names = ['web01', 'web02', 'db']) {
  const stage = await createStage(
    names.map((name, index) => aVm(name, { id: uuidOf(`${name} ${index}`), disks: [] })),
  )
  stages.push(stage)
  const { hypervisor, world } = stage.engine
  const tagsOf = (name: string) =>
    world.tagged
      .filter(({ vm }) => world.vms.find(({ id }) => id === vm)?.name === name)
      .map(({ tag }) => tag)
  return { hypervisor, world, tagsOf }
}

async function failureOf(act: Promise<unknown>): Promise<unknown> {
  return act.then(
    () => undefined,
    (error: unknown) => error,
  )
}

describe('protect', () => {
  test('leaves a VM with the one policy that was asked for, whatever it had', async () => {
    const { hypervisor, world, tagsOf } = await anEngine()
    await unprotectVms(hypervisor, ['web01'], both, signal)
    await protectVms(hypervisor, ['web01', 'db'], 'gold', both, signal)
    expect([tagsOf('web01'), tagsOf('db'), tagsOf('web02')]).toEqual([
      ['vmbackup-gold'],
      ['vmbackup-gold'],
      [],
    ])
    await protectVms(hypervisor, ['WEB01'], 'Silver', both, signal)
    expect(tagsOf('web01')).toEqual(['vmbackup-silver'])
    expect(world.acts.slice(-2)).toEqual(['tag web01 vmbackup-silver', 'untag web01 vmbackup-gold'])
  })

  test('done twice changes nothing more', async () => {
    const { hypervisor, world } = await anEngine()
    await protectVms(hypervisor, ['web01'], 'gold', both, signal)
    const acts = world.acts.length
    expect(await protectVms(hypervisor, ['web01'], 'gold', both, signal)).toMatchObject([{ name: 'web01' }])
    expect(world.acts).toHaveLength(acts)
  })

  test('without a name means the only policy, and is refused when there are none or several', async () => {
    const { hypervisor, world, tagsOf } = await anEngine()
    await protectVms(hypervisor, ['db'], undefined, [silver], signal)
    expect(tagsOf('db')).toEqual(['vmbackup-silver'])
    const acts = [...world.acts]
    expect(await failureOf(protectVms(hypervisor, ['db'], undefined, both, signal))).toMatchObject({
      constructor: Refused,
      hint: 'name one; there are: gold, silver',
    })
    expect(await failureOf(protectVms(hypervisor, ['db'], undefined, [], signal))).toBeInstanceOf(Refused)
    expect(await failureOf(protectVms(hypervisor, ['db'], 'bronze', both, signal))).toMatchObject({
      constructor: Unknown,
      message: 'there is no policy "bronze"',
    })
    expect(world.acts).toEqual(acts)
  })

  test('tells all names that there are not at once, with the nearest that there are, and changes nothing', async () => {
    const { hypervisor, world } = await anEngine()
    const failure = await failureOf(protectVms(hypervisor, ['db', 'weeb01', 'zzzzzz'], 'gold', both, signal))
    expect(failure).toBeInstanceOf(Unknown)
    expect(failure).toMatchObject({
      message: 'the engine has no VM "weeb01" (did you mean web01?), "zzzzzz"; nothing was changed',
    })
    expect(world.acts).toEqual([])
  })

  test('asks for an id where several VMs have the name, and takes it', async () => {
    const { hypervisor, tagsOf } = await anEngine(['web', 'web', 'Web'])
    const failure = await failureOf(protectVms(hypervisor, ['web'], 'gold', both, signal))
    expect(failure).toMatchObject({ constructor: Refused, hint: 'name one by its id' })
    expect(String(failure)).toContain(uuidOf('web 1'))
    expect(await protectVms(hypervisor, ['Web'], 'gold', both, signal)).toMatchObject([{ name: 'Web' }])
    expect(await protectVms(hypervisor, [uuidOf('web 1')], 'gold', both, signal)).toEqual([
      { id: uuidOf('web 1'), name: 'web' },
    ])
    expect(tagsOf('Web')).toEqual(['vmbackup-gold'])
  })

  test('says so when a tag below another policy keeps that one in force', async () => {
    const { hypervisor, world, tagsOf } = await anEngine()
    world.tags.push({ name: 'vmbackup-gold' }, { name: 'databases', below: 'vmbackup-gold' })
    const [db] = await hypervisor.findVms(['db'], signal)
    if (db !== undefined) await hypervisor.tag(db, 'databases', signal)
    const failure = await failureOf(protectVms(hypervisor, ['db'], 'silver', both, signal))
    expect(failure).toBeInstanceOf(Refused)
    expect(String(failure)).toContain('vmbackup-gold of VM db')
    expect(tagsOf('db')).toEqual(['databases', 'vmbackup-silver'])
  })
})

describe('unprotect', () => {
  test('keeps a VM out by its tag and takes its policies from it', async () => {
    const { hypervisor, tagsOf } = await anEngine()
    await protectVms(hypervisor, ['db'], 'gold', both, signal)
    expect(await unprotectVms(hypervisor, ['db', 'db'], both, signal)).toHaveLength(1)
    expect(tagsOf('db')).toEqual(['vmbackup-none'])
  })

  test('changes nothing when a name is unknown', async () => {
    const { hypervisor, world } = await anEngine()
    expect(await failureOf(unprotectVms(hypervisor, ['db', 'nobody'], both, signal))).toBeInstanceOf(Unknown)
    expect(world.acts).toEqual([])
  })
})
