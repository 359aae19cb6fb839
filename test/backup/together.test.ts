import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { vdsmFormat } from '../../src/ovirt/vdsm-domain.ts'
import { readPoint } from '../../src/point/manifest.ts'
import { paceOf } from '../../src/point/pace.ts'
import { verifyPoint } from '../../src/point/verify.ts'
import type { Report } from '../../src/run/report.ts'
import { flawsIn } from '../run/report-schema.ts'
import { fakeClock, volumeAt } from '../support/stage.ts'
import { acrossBoth, createTwoPairs, onOther, type TwoPairs } from '../support/two-pairs.ts'
import { aDisk, aVm } from '../support/vms.ts'
import { expectClean } from './clean-end.ts'
import { statesOf } from './pairs-after.ts'

/** Where a step of a run begins or ends among all that happens, e.g. `0 replicate begins`. */
function storyOf(pairs: TwoPairs): string[] {
  return pairs.events.flatMap(({ at, event }) => {
    if (event.kind === 'step began') return [`${at} ${event.step} begins`]
    return event.kind === 'step ended' ? [`${at} ${event.step} ends`] : []
  })
}

async function pointOf(pairs: TwoPairs, at: 0 | 1, report: Report) {
  const file = join(pairs.stages[at].replicated.secondaryDir, report.manifest ?? '')
  return readPoint(await readFile(file, 'utf8'), file)
}

describe('runs of one job over two pairs', () => {
  test('protect every VM, also those with disks on both volumes, and leave nothing', async () => {
    await using pairs = await createTwoPairs()
    const reports = await pairs.run()
    expect(reports.map(({ outcome, error }) => [outcome, error])).toEqual([
      ['protected', undefined],
      ['protected', undefined],
    ])
    expect(statesOf(reports)).toEqual([
      { both: 'protected', idle: 'protected', left: 'protected' },
      { both: 'protected', idle: 'protected', right: 'protected' },
    ])
    for (const stage of pairs.stages) await expectClean(stage)
  })

  test('take one snapshot of a VM on both volumes, and merge it once', async () => {
    await using pairs = await createTwoPairs()
    await pairs.run()
    const acts = pairs.engine.world.acts.filter((act) => act.endsWith(' both'))
    expect(acts).toEqual(['freeze both', 'snapshot both', 'thaw both', 'merge both'])
  })

  test.each([0, 1] as const)('keep this order among each other although run %i is slow', async (slow) => {
    await using pairs = await createTwoPairs([acrossBoth()[0], acrossBoth()[2]].flatMap((vm) => vm ?? []))
    pairs.engine.faults.looks = 4
    pairs.stages[slow].replicated.faults.slowLooks = 30
    const reports = await pairs.run()
    expect(reports.map(({ outcome }) => outcome)).toEqual(['protected', 'protected'])
    const story = storyOf(pairs)
    const at = (what: string): number => {
      expect(story).toContain(what)
      return story.indexOf(what)
    }
    const first = (...whats: string[]): number => Math.min(...whats.map(at))
    const last = (...whats: string[]): number => Math.max(...whats.map(at))
    const both = (what: string): [string, string] => [`0 ${what}`, `1 ${what}`]
    expect(last(...both('update OVF store ends'))).toBeLessThan(first(...both('snapshot begins')))
    expect(at('0 snapshot ends')).toBeLessThan(first(...both('replicate begins')))
    expect(last(...both('compare ends'))).toBeLessThan(at('0 merge shared VMs begins'))
    expect(at('0 merge shared VMs ends')).toBeLessThan(at('1 clean up shared VMs begins'))
    expect(last(...both('prove ends'))).toBeLessThan(first(...both('write manifest begins')))
    // The VM that lies on one volume alone is on its overlay no longer than its own run needs.
    if (slow === 1) expect(at('0 merge ends')).toBeLessThan(at('1 replicate ends'))
  })

  test('owe a snapshot on both volumes before it is asked for, however slow the other run is', async () => {
    await using pairs = await createTwoPairs()
    const { hypervisor } = pairs.engine
    const { replicated } = pairs.stages[1]
    const { replication } = replicated
    replicated.replication = {
      ...replication,
      async openPrimary(dir, signal) {
        const volume = await replication.openPrimary(dir, signal)
        const slowly: typeof volume.open = async (path, within) => {
          await setTimeout(50)
          return volume.open(path, within)
        }
        return { ...volume, open: slowly, [Symbol.asyncDispose]: () => volume[Symbol.asyncDispose]() }
      },
    }
    const owed: string[][] = []
    pairs.engine.hypervisor = {
      ...hypervisor,
      takeSnapshot(vm, ...rest) {
        if (vm.name === 'both') owed.push(...pairs.stages.map((stage) => stage.owed()))
        return hypervisor.takeSnapshot(vm, ...rest)
      },
    }
    await pairs.run()
    const ofBoth = expect.arrayContaining(['snapshot', 'overlays'])
    expect(owed).toEqual([ofBoth, ofBoth])
  })

  test('say of a disk on the other volume which run has it, in report and manifest, and fit their schemas', async () => {
    await using pairs = await createTwoPairs()
    const [one, other] = await pairs.run()
    expect([one.with, other.with]).toEqual([[other.run], [one.run]])
    expect([...flawsIn(one), ...flawsIn(other)]).toEqual([])
    const disks = [
      { name: 'both-1', state: 'protected' },
      { name: 'both-2', state: 'elsewhere', why: `on volume data2: run ${other.run}` },
    ]
    expect(one.vms.find(({ name }) => name === 'both')?.disks).toMatchObject(disks)
    const point = await pointOf(pairs, 0, one)
    const theOther = { primary: { volume: 'data2' }, secondary: { host: 'gs1', volume: 'data2-dr' } }
    expect(point.vms.find(({ name }) => name === 'both')?.disks).toMatchObject([
      { name: 'both-1', state: 'protected', chain: [{}] },
      { name: 'both-2', state: 'elsewhere', in: { run: other.run, ...theOther } },
    ])
  })

  test('make points of which each is proved by its volume alone, which says where the rest is', async () => {
    await using pairs = await createTwoPairs()
    const reports = await pairs.run()
    for (const at of [0, 1] as const) {
      const point = await pointOf(pairs, at, reports[at])
      const { verdict, vms } = await verifyPoint(point, {
        volume: volumeAt(pairs.stages[at].replicated.secondaryDir),
        format: vdsmFormat,
        parallel: 2,
        pace: paceOf(undefined, fakeClock()),
        signal: new AbortController().signal,
        content: true,
        told: () => undefined,
      })
      expect(verdict).toBe('proved')
      const { verdict: proved, elsewhere } = vms.find(({ name }) => name === 'both') ?? {}
      expect(proved).toBe('proved')
      expect(elsewhere).toEqual([
        `disk both-${2 - at}: gs1:data${at === 0 ? '2' : ''}-dr, run ${reports[1 - at]?.run}`,
      ])
    }
  })

  test('can be repeated at once', async () => {
    await using pairs = await createTwoPairs()
    await pairs.run()
    expect((await pairs.run()).map(({ outcome, warnings }) => [outcome, warnings])).toEqual([
      ['protected', []],
      ['protected', []],
    ])
    for (const stage of pairs.stages) await expectClean(stage)
  })

  test('that share no VM do not wait for each other once they have planned', async () => {
    await using pairs = await createTwoPairs([aVm('left'), aVm('right', { disks: [onOther('right-1')] })])
    pairs.stages[1].replicated.faults.stalledStarts = 1_000
    const reports = await pairs.run()
    expect(reports.map(({ outcome }) => outcome)).toEqual(['protected', 'failed'])
    const story = storyOf(pairs)
    expect(story.indexOf('0 write manifest ends')).toBeLessThan(story.indexOf('1 replicate ends'))
  })

  test('leave a disk on the other volume out that cannot take part, and its VM is not shared', async () => {
    const disks = [aDisk('web-1'), { ...onOther('web-2'), plugged: false }]
    await using pairs = await createTwoPairs([
      aVm('web', { disks }),
      aVm('right', { disks: [onOther('right-1')] }),
    ])
    const reports = await pairs.run()
    expect(statesOf(reports)).toEqual([{ web: 'protected' }, { right: 'protected', web: 'left out' }])
    expect(reports[0].vms[0]?.disks).toMatchObject([{ state: 'protected' }, { state: 'left out' }])
  })
})

test('two runs, one after the other, take two snapshots of a VM on both volumes: no instant of it', async () => {
  await using pairs = await createTwoPairs()
  const [one, other] = pairs.stages
  const reports = [await one.run(), await other.run()] as const
  expect(pairs.engine.world.acts.filter((act) => act === 'snapshot both')).toHaveLength(2)
  expect(reports[0].vms[0]?.disks).toMatchObject([
    {},
    { state: 'left out', why: 'lies on another storage domain' },
  ])
})
