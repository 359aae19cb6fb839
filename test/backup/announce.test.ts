import { describe, expect, test } from 'vitest'
import { announcementOf } from '../../src/backup/announce.ts'
import { Cancelled } from '../../src/model/errors.ts'
import type { Outcome, Report, VmResult } from '../../src/run/report.ts'
import { domain } from '../support/memory-hypervisor.ts'
import { createStage } from '../support/stage.ts'
import { aVm, someMoment } from '../support/vms.ts'

const good = (name: string): VmResult => ({
  id: name,
  name,
  state: 'protected',
  consistency: 'crash',
  ...someMoment,
  disks: [],
})
const bad = (name: string, why: string): VmResult => ({ id: name, name, state: 'failed', why, disks: [] })

function aReport(change: Partial<Report> = {}): Report {
  return {
    version: 1,
    run: 'RUN',
    outcome: 'protected',
    startedAt: '2026-11-21T00:00:00.000Z',
    finishedAt: '2026-11-21T00:01:00.000Z',
    primary: 'data',
    secondary: { host: 'gs1', volume: 'data-dr' },
    steps: [],
    vms: [good('db'), good('web')],
    overwrote: true,
    warnings: [],
    leftOpen: [],
    ...change,
  }
}

test.each<[Outcome, string]>([
  ['protected', 'normal'],
  ['partly protected', 'warning'],
  ['failed', 'alert'],
  ['refused', 'alert'],
  ['cancelled', 'alert'],
])('a run that is "%s" is a "%s" event', (outcome, severity) => {
  expect(announcementOf(aReport({ outcome })).severity).toBe(severity)
})

test('a protected run that could not put everything away is a warning', () => {
  const leftOpen = [{ what: 'unmount of /a', why: 'busy' }]
  expect(announcementOf(aReport({ leftOpen }))).toEqual({
    severity: 'warning',
    text: 'vmbackup RUN: volume data to gs1:data-dr: protected: 2 of 2 VMs protected. Still to be settled: unmount of /a (busy).',
  })
})

describe('the text', () => {
  test('counts the VMs', () => {
    expect(announcementOf(aReport()).text).toBe(
      'vmbackup RUN: volume data to gs1:data-dr: protected: 2 of 2 VMs protected.',
    )
  })

  test('names what failed and what was left out, with the reasons, and does not count the latter', () => {
    const he: VmResult = { id: 'he', name: 'he', state: 'left out', why: 'hosted engine', disks: [] }
    const report = aReport({ outcome: 'partly protected', vms: [good('db'), bad('web', 'torn'), he] })
    expect(announcementOf(report).text).toBe(
      'vmbackup RUN: volume data to gs1:data-dr: partly protected: 1 of 2 VMs protected. Failed: web (torn). Left out: he (hosted engine).',
    )
  })

  test('names twenty of many and tells how many more there are', () => {
    const vms = Array.from({ length: 5_000 }, (_, index) => bad(`vm-${index}`, 'torn'))
    const { text } = announcementOf(aReport({ outcome: 'failed', vms }))
    expect(text).toContain('0 of 5000 VMs protected.')
    expect(text).toContain('vm-19 (torn); and 4980 more.')
    expect(text).not.toContain('vm-20 ')
  })

  test('tells the error with its causes and what to do', () => {
    const error = { message: 'cannot sign on', causes: ['connection refused'], hint: 'look at the engine' }
    expect(announcementOf(aReport({ outcome: 'failed', vms: [], error })).text).toBe(
      'vmbackup RUN: volume data to gs1:data-dr: failed: 0 of 0 VMs protected. cannot sign on: connection refused. look at the engine.',
    )
  })
})

describe('the event on the engine', () => {
  test('refers to the storage domain and to a cluster of its VMs', async () => {
    await using stage = await createStage()
    const { run } = await stage.run()
    const [event] = stage.engine.world.announced
    expect(event).toMatchObject({ domain: { id: domain.id }, clusterId: 'cluster-1' })
    expect(event?.text).toContain(run)
  })

  test('refers to nothing when the run ended before the domain was known', async () => {
    await using stage = await createStage()
    stage.engine.faults.failing.domains = 'no answer'
    await stage.run()
    expect(Object.keys(stage.engine.world.announced[0] ?? {}).toSorted()).toEqual([
      'number',
      'severity',
      'text',
    ])
  })

  test('of a run that was protected and could not tell does not deny its report', async () => {
    await using stage = await createStage([aVm('web')])
    stage.engine.faults.failing.announce = 'the engine is away'
    const { run, outcome } = await stage.run()
    stage.engine.faults.failing = {}
    await stage.run()
    expect(outcome).toBe('protected')
    const [late] = stage.engine.world.announced.filter(({ text }) => text.includes(run))
    expect(late?.text).toContain('unless its own report says so')
  })

  test('of a run that was killed says that nothing may be assumed from it', async () => {
    await using stage = await createStage([aVm('web')])
    stage.engine.faults.failing.announce = 'the engine is away'
    const signal = AbortSignal.abort(new Cancelled('SIGTERM'))
    const { run } = await stage.run({}, { signal })
    stage.engine.faults.failing = {}
    await stage.run()
    const late = stage.engine.world.announced.filter(({ text }) => text.includes(run))
    expect(late).toMatchObject([{ severity: 'alert', text: expect.stringContaining('no recovery point') }])
  })
})
