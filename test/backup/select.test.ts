import { afterEach, describe, expect, test } from 'vitest'
import { everything, type NamedSelection, resolveSelection } from '../../src/backup/select.ts'
import type { Hypervisor } from '../../src/model/hypervisor.ts'
import type { Policy, Selector } from '../../src/model/selection.ts'
import { createStage } from '../support/stage.ts'
import { aVm } from '../support/vms.ts'
import { intercepted } from './intercept.ts'

const { signal } = new AbortController()
const gold: Policy = { name: 'gold', tag: 'vmbackup-gold', rpoMs: 3_600_000 }
const silver: Policy = { name: 'silver', tag: 'vmbackup-silver', rpoMs: 14_400_000 }

const vms = [aVm('web01'), aVm('web02'), aVm('db', { clusterId: 'cluster-2' }), aVm('spare')]
const stages: AsyncDisposable[] = []
afterEach(async () => {
  for (const stage of stages.splice(0)) await stage[Symbol.asyncDispose]()
})

async function anEngine(tags: Record<string, string[]> = {}) {
  const stage = await createStage(vms.map((vm) => ({ ...structuredClone(vm), disks: [] })))
  stages.push(stage)
  const { hypervisor, world } = stage.engine
  world.clusters.push({ id: 'cluster-2', name: 'Databases' })
  for (const [name, list] of Object.entries(tags)) {
    const vm = vms.find((one) => one.name === name)
    for (const tag of list) if (vm !== undefined) await hypervisor.tag(vm, tag, signal)
  }
  const asked: string[] = []
  const watched: Hypervisor = intercepted(hypervisor, (method, act) => {
    asked.push(method)
    return act()
  })
  return { hypervisor: watched, asked }
}

async function chosen(
  selection: Partial<NamedSelection>,
  tags?: Record<string, string[]>,
): Promise<string[]> {
  const { hypervisor } = await anEngine(tags)
  const full = { ...everything, ...selection }
  const { whyNotSelected } = await resolveSelection(hypervisor, full, [gold, silver], signal)
  return vms.filter((vm) => whyNotSelected(vm) === undefined).map(({ name }) => name)
}

describe('a selection', () => {
  test.each<[string, Selector, string[]]>([
    ['all', { by: 'all' }, ['web01', 'web02', 'db', 'spare']],
    ['the tag of a policy', { by: 'policy' }, ['web01', 'db']],
    ['a tag, without case', { by: 'tag', tag: 'NIGHTLY' }, ['spare']],
    ['a tag that there is not', { by: 'tag', tag: 'nobody' }, []],
    ['a name', { by: 'name', pattern: 'WEB*' }, ['web01', 'web02']],
    ['an expression', { by: 'regex', pattern: '0[12]$' }, ['web01', 'web02']],
    ['a cluster, without case', { by: 'cluster', cluster: 'databases' }, ['db']],
  ])('picks by %s', async (_what, selector, names) => {
    const tags = { web01: ['vmbackup-gold'], db: ['vmbackup-Silver'], spare: ['nightly'] }
    expect(await chosen({ include: [selector] }, tags)).toEqual(names)
  })

  test('takes what any of its selectors picks and none of its exclusions does', async () => {
    const include: Selector[] = [
      { by: 'name', pattern: 'web*' },
      { by: 'cluster', cluster: 'Databases' },
    ]
    expect(await chosen({ include, exclude: [{ by: 'name', pattern: '*02' }] })).toEqual(['web01', 'db'])
  })

  test('never takes a VM with the tag that keeps out, whatever else is said of it', async () => {
    const tags = { web01: ['vmbackup-none', 'vmbackup-gold'], spare: ['vmbackup-none'] }
    expect(await chosen({}, tags)).toEqual(['web02', 'db'])
    expect(await chosen({ include: [{ by: 'policy' }] }, tags)).toEqual([])
  })

  test('says of each VM why it is left out', async () => {
    const { hypervisor } = await anEngine({ web01: ['vmbackup-none'] })
    const selection: NamedSelection = {
      job: 'nightly',
      include: [{ by: 'name', pattern: '*e*' }],
      exclude: [{ by: 'regex', pattern: '^sp' }],
      excludeDisks: [],
    }
    const { whyNotSelected } = await resolveSelection(hypervisor, selection, [], signal)
    expect(vms.map((vm) => whyNotSelected(vm))).toEqual([
      'kept out by tag vmbackup-none',
      undefined,
      'not selected by job nightly',
      'excluded by regex:^sp',
    ])
  })

  test('asks the engine for nothing that is not named', async () => {
    const { hypervisor, asked } = await anEngine()
    await resolveSelection(hypervisor, everything, [], signal)
    expect(asked).toEqual(['tagged'])
    asked.length = 0
    const include: Selector[] = [
      { by: 'tag', tag: 'a' },
      { by: 'tag', tag: 'A' },
      { by: 'cluster', cluster: 'x' },
    ]
    await resolveSelection(hypervisor, { ...everything, include }, [gold], signal)
    expect(asked.toSorted()).toEqual(['clusters', 'tagged', 'tagged', 'tagged'])
  })

  test('warns of a cluster that the engine does not have', async () => {
    const { hypervisor } = await anEngine()
    const include: Selector[] = [{ by: 'cluster', cluster: 'Databasse' }]
    const { findings } = await resolveSelection(hypervisor, { ...everything, include }, [], signal)
    expect(findings).toMatchObject([
      {
        severity: 'warning',
        what: 'the engine has no cluster "Databasse"',
        hint: 'name one of: Default, Databases',
      },
    ])
  })

  test.each([
    ['scratch', 'web01', true],
    ['scratch', 'db', true],
    ['SCR*', 'db', true],
    ['web*/scratch', 'web01', true],
    ['web*/scratch', 'db', false],
    ['scratch2', 'db', false],
    ['*/*', 'db', true],
  ])('with exclude_disks %s leaves out disk scratch of %s: %s', async (pattern, vm, isOut) => {
    const { hypervisor } = await anEngine()
    const selection = { ...everything, excludeDisks: [pattern] }
    const { whyDiskExcluded } = await resolveSelection(hypervisor, selection, [], signal)
    const why = whyDiskExcluded({ name: vm }, { name: 'scratch' })
    expect(why).toBe(isOut ? `excluded by exclude_disks ${pattern}` : undefined)
  })
})

describe('the policy of a VM', () => {
  test('is that of its tag, of several that with the shortest RPO, of none none', async () => {
    const { hypervisor } = await anEngine({
      web01: ['vmbackup-silver'],
      web02: ['vmbackup-silver', 'vmbackup-gold'],
    })
    const { policyOf } = await resolveSelection(hypervisor, everything, [silver, gold], signal)
    expect(vms.map((vm) => policyOf(vm))).toEqual(['silver', 'gold', undefined, undefined])
  })
})
