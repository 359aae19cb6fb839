import { describe, expect, test } from 'vitest'
import { Concert } from '../../src/backup/concert.ts'
import { type BackupPlan, planBackup } from '../../src/backup/plan.ts'
import { Verdicts } from '../../src/backup/verdicts.ts'
import { Cancelled } from '../../src/model/errors.ts'
import type { Vm } from '../../src/model/vm.ts'
import { domain, otherDomain } from '../support/memory-hypervisor.ts'
import { seenEngine } from '../support/stage.ts'
import { onOther } from '../support/two-pairs.ts'
import { aDisk, aVm, uuidOf } from '../support/vms.ts'
import { aRun } from './a-run.ts'

const siblings = ['data', 'data2', 'data3'].map((primary, at) => ({
  run: `20261121T000000Z-0000000${at}`,
  primary,
  secondary: { host: 'gs1', volume: `${primary}-dr` },
}))
const [first, second, third] = siblings as [(typeof siblings)[0], (typeof siblings)[0], (typeof siblings)[0]]
const both = aVm('both', { disks: [aDisk('both-1'), onOther('both-2')] })

function planOf(vms: readonly Vm[], at: 0 | 1): BackupPlan {
  const [here, other] =
    at === 0
      ? [domain, { ...second, domains: [otherDomain] }]
      : [otherDomain, { ...first, domains: [domain] }]
  const there = vms.filter(({ disks }) => disks.some(({ domains }) => domains.includes(here.id)))
  let ids = 0
  return planBackup(here, there, () => uuidOf(`new ${at} ${ids++}`), seenEngine, undefined, [other])
}

/** `open` until it is settled. */
function stateOf(promise: Promise<unknown>): () => Promise<unknown> {
  let state: unknown = 'open'
  promise.then(
    () => (state = 'passed'),
    (error: Error) => (state = error.message),
  )
  return async () => {
    await new Promise((resolve) => setImmediate(resolve))
    return state
  }
}

describe('a point where runs meet', () => {
  test('is passed when the last one has come or has left', async () => {
    const concert = new Concert()
    const [one, two, three] = siblings.map((sibling) => concert.join(sibling))
    const passed = stateOf(one?.meet('settled', aRun()) ?? Promise.reject(new Error('none')))
    expect(await passed()).toBe('open')
    two?.leave(new Error('refused'))
    expect(await passed()).toBe('open')
    await three?.meet('settled', aRun())
    expect(await passed()).toBe('passed')
  })

  test('is passed at once by a run alone, and by one for which all others have left', async () => {
    const alone = new Concert().join(third)
    for (const point of ['settled', 'planned', 'owed', 'standing', 'written'] as const)
      await alone.meet(point, aRun())
    expect(alone.others).toEqual([])
  })

  test('is left when the run is told to end, and tells the reason', async () => {
    const concert = new Concert()
    const one = concert.join(first)
    concert.join(second)
    const controller = new AbortController()
    const passed = stateOf(one.meet('settled', aRun({ signal: controller.signal })))
    controller.abort(new Cancelled('SIGTERM'))
    await expect.poll(passed).toBe('SIGTERM')
  })

  test('does not wait for a run that is further already', async () => {
    const concert = new Concert()
    const [one, two] = [concert.join(first), concert.join(second)]
    two.leave()
    await one.meet('settled', aRun())
    await one.meet('proved', aRun())
    expect([one.isIn(second.run), two.isIn(first.run)]).toEqual([false, true])
  })
})

describe('plans that are united', () => {
  async function united(vms: readonly Vm[] = [both, aVm('left')]) {
    const concert = new Concert()
    const parts = [concert.join(first), concert.join(second)] as const
    const verdicts = [new Verdicts('data'), new Verdicts('data2')] as const
    const plans = await Promise.all(
      ([0, 1] as const).map(async (at) => {
        const plan = planOf(vms, at)
        verdicts[at].plan(plan)
        const all = await parts[at].unite(aRun(), plan, verdicts[at])
        verdicts[at].plan(all)
        return all
      }),
    )
    return { parts, verdicts, plans }
  }

  test('mark a VM of several runs, its lead, and the overlays that the others lay', async () => {
    const { plans } = await united()
    const overlays = plans.map(({ vms }) =>
      vms.flatMap((vm) => (vm.way === 'snapshot' && vm.shared ? vm.overlays : [])),
    )
    const shared = plans.map(({ vms }) => vms.find((vm) => vm.name === 'both')?.shared)
    expect(shared).toEqual([
      { lead: first.run, overlays: overlays[1] },
      { lead: first.run, overlays: overlays[0] },
    ])
    expect(overlays.map((some) => some.map(({ image }) => image))).toEqual([
      [aDisk('both-1').id],
      [aDisk('both-2').id],
    ])
    expect(plans[0]?.vms.find((vm) => vm.name === 'left')).not.toHaveProperty('shared')
  })

  test('give such a VM one verdict: what either finds holds for both, with the volume', async () => {
    const { verdicts } = await united()
    verdicts[1].fail(both.id, 'torn')
    verdicts[0].fail(both.id, 'something later')
    const whys = verdicts.map((one) => one.results(undefined).find(({ id }) => id === both.id)?.why)
    expect(whys).toEqual(['on volume data2: torn', 'torn'])
  })

  test('a run that leaves with an error fails what it shares; one that ends well does not', async () => {
    const well = await united()
    well.parts[1].leave()
    expect(well.verdicts[0].failed(both.id)).toBe(false)
    const badly = await united()
    badly.parts[1].leave(new Error('no space'))
    const [result] = badly.verdicts[0].results(undefined)
    expect(result?.why).toBe('on volume data2: the run ended early: no space')
    expect(badly.verdicts[0].failed(aVm('left').id)).toBe(false)
  })

  test('of runs that share nothing make nobody wait any more', async () => {
    const { parts } = await united([aVm('left'), aVm('right', { disks: [onOther('right-1')] })])
    await parts[0].meet('written', aRun())
  })
})
