import { describe, expect, test } from 'vitest'
import { snapshotDescription } from '../../src/backup/names.ts'
import { planBackup } from '../../src/backup/plan.ts'
import { takeSnapshots } from '../../src/backup/take-snapshots.ts'
import { Verdicts } from '../../src/backup/verdicts.ts'
import { EngineError } from '../../src/model/errors.ts'
import type { EngineEvent, Hypervisor, Job, Observation } from '../../src/model/hypervisor.ts'
import type { Snapshot, Vm } from '../../src/model/vm.ts'
import { domain } from '../support/memory-hypervisor.ts'
import { createStage, quickOptions, seenEngine } from '../support/stage.ts'
import { aDisk, aSnapshot, aVm, uuidOf } from '../support/vms.ts'
import { aRun } from './a-run.ts'

const overlay = uuidOf('overlay')
const description = snapshotDescription(aRun().id)

type Look = { vm: Partial<Vm> | 'gone'; job?: Job['state']; meaning?: EngineEvent['meaning'] }

const row = (change: Partial<Snapshot> = {}) => aSnapshot({ description, ...change })
const onOverlay = [aDisk('disk1', { volume: overlay })]
const onBase = [aDisk('disk1')]
const making: Look = { vm: { disks: onOverlay, snapshots: [row({ status: 'locked' })] }, job: 'running' }
const made: Look = { vm: { disks: onOverlay, snapshots: [row()] }, job: 'finished' }

/** Takes the snapshot of one VM at an engine that is seen like this, look after look; the last look stays. */
async function taken(looks: Look[], refusal?: Error) {
  await using stage = await createStage([])
  const run = aRun()
  let tag = ''
  let looked = 0
  const seen = (): Observation => {
    const { vm, job, meaning } = looks[Math.min(looked++, looks.length - 1)] ?? { vm: 'gone' }
    const jobs = job === undefined ? [] : [{ id: 'j', tag, description: 'take', state: job }]
    const event = { id: 1, code: 0, severity: 'error', text: 'told by the engine', tag } as const
    const web = aVm('web', vm === 'gone' ? {} : vm)
    return {
      vms: new Map(vm === 'gone' ? [] : [[web.id, web]]),
      jobs,
      events: meaning === undefined ? [] : [{ ...event, meaning }],
    }
  }
  const owedAtRequest: string[] = []
  const hypervisor: Hypervisor = {
    ...stage.engine.hypervisor,
    takeSnapshot: async (_vm, _snapshot, given) => {
      tag = given
      owedAtRequest.push(...run.owed().map(({ what }) => what.kind))
      if (refusal !== undefined) throw refusal
      return 'row'
    },
    observe: async () => seen(),
  }
  const plan = planBackup(domain, [aVm('web', { disks: onBase })], () => overlay, seenEngine)
  const verdicts = new Verdicts()
  verdicts.plan(plan)
  const site = { hypervisor, replication: stage.replicated.replication }
  await takeSnapshots(run, site, plan, quickOptions, verdicts)
  const [result] = verdicts.results(undefined)
  return { result, owed: run.owed(), owedAtRequest, looked }
}

describe('a snapshot', () => {
  test('is taken when its row is ok, its job ended and the disk runs on the overlay', async () => {
    const { result, looked } = await taken([making, making, made])
    expect(result).toMatchObject({ state: 'protected' })
    expect(looked).toBe(3)
  })

  test('is owed, with its overlays, before it is asked for, and stays owed', async () => {
    const { owed, owedAtRequest } = await taken([made])
    expect(owedAtRequest.toSorted()).toEqual(['overlays', 'snapshot'])
    expect(owed).toHaveLength(2)
  })

  test('is not taken as long as its job runs, although all else looks done', async () => {
    const { looked } = await taken([{ ...made, job: 'running' }, made])
    expect(looked).toBe(2)
  })

  test('is taken also when the engine has forgotten the job', async () => {
    const { job: _, ...forgotten } = made
    expect((await taken([making, forgotten])).result).toMatchObject({ state: 'protected' })
  })

  test.each<[string, Look[], string]>([
    [
      'the engine doubts it, whatever else looks well',
      [making, { ...made, meaning: 'snapshot doubtful' }],
      'snapshot doubtful: told by the engine',
    ],
    [
      'the engine says so',
      [{ ...making, job: 'failed', meaning: 'snapshot failed' }],
      'snapshot failed: told by the engine',
    ],
    [
      'its job failed without a word',
      [{ vm: { disks: onBase }, job: 'failed' }],
      'the engine’s snapshot job failed'.replace('’', "'"),
    ],
    [
      'its job ended and there is none',
      [{ vm: { disks: onBase }, job: 'finished' }],
      'ended the job without a snapshot',
    ],
    [
      'the disk does not run on the overlay',
      [{ ...made, vm: { disks: onBase, snapshots: [row()] } }],
      'does not run on the overlay asked for',
    ],
    [
      'only another snapshot is there',
      [{ ...made, vm: { disks: onBase, snapshots: [row({ description: 'mine' })] } }],
      'without a snapshot',
    ],
    ['the VM is gone', [making, { vm: 'gone' }], 'the VM is gone'],
    ['it never ends', [making], 'not complete after 60 s'],
    ['nothing is ever seen of it', [{ vm: { disks: onBase } }], 'not complete after 60 s'],
  ])('has failed when %s', async (_what, looks, words) => {
    const { result, owed } = await taken(looks)
    expect(result).toMatchObject({ state: 'failed', why: expect.stringContaining(words) })
    expect(owed).toHaveLength(2)
  })
})

describe('a request for a snapshot', () => {
  test.each([400, 404, 409])('that the engine refused with %d leaves nothing owed', async (status) => {
    const { result, owed } = await taken([], new EngineError('no', { status }))
    expect(result).toMatchObject({ state: 'failed', why: 'no' })
    expect(owed).toEqual([])
  })

  test.each([
    ['without an answer', new EngineError('cut off')],
    ['with a server error', new EngineError('proxy', { status: 502 })],
    ['in an unknown way', new Error('a bug')],
  ])('that ended %s stays owed: nobody knows', async (_what, refusal) => {
    const { result, owed } = await taken([], refusal)
    expect(result).toMatchObject({ state: 'failed' })
    expect(owed.map(({ what }) => what.kind).toSorted()).toEqual(['overlays', 'snapshot'])
  })
})

test('a VM that is down gets none, and no more than allowed are asked for before the first is done', async () => {
  const vms = Array.from({ length: 9 }, (_, index) => aVm(`vm-${index}`))
  await using stage = await createStage([...vms, aVm('spare', { status: 'down' })])
  const { hypervisor } = stage.engine
  let most = 0
  stage.engine.hypervisor = {
    ...hypervisor,
    observe: async (...given) => {
      most = Math.max(most, stage.engine.world.pending.filter(({ act }) => act === 'take').length)
      return hypervisor.observe(...given)
    },
  }
  await stage.run({ snapshotsAtOnce: 3 })
  expect(most).toBe(3)
  expect(stage.engine.world.acts.filter((act) => act.startsWith('snapshot'))).toHaveLength(9)
})
