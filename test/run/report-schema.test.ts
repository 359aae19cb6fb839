import { existsSync } from 'node:fs'
import { expect, test } from 'vitest'
import { Cancelled } from '../../src/model/errors.ts'
import { lockVolume } from '../../src/run/lock.ts'
import { type Outcome, type Report, reportedError } from '../../src/run/report.ts'
import { createStage } from '../support/stage.ts'
import { aDisk, aVm } from '../support/vms.ts'
import { flawsIn } from './report-schema.ts'

type Stage = Awaited<ReturnType<typeof createStage>>

const everyKind = [
  aVm('db', { disks: [aDisk('db1'), aDisk('lun', { kind: 'lun' }), aDisk('shared', { shareable: true })] }),
  aVm('spare', { status: 'down' }),
  aVm('he', { hostedEngine: true }),
]

/** How each outcome of a run comes about. */
const ways: Record<Exclude<Outcome, 'usage error'>, (stage: Stage) => Promise<Report>> = {
  protected: (stage) => stage.run(),
  'partly protected': (stage) => {
    stage.engine.faults.snapshot['db'] = 'never ends'
    return stage.run()
  },
  failed: (stage) => {
    stage.replicated.faults.failing.mark = 'broken'
    return stage.run()
  },
  refused: (stage) => {
    stage.engine.faults.failing.about = 'no answer'
    stage.engine.faults.failing.announce = 'no answer'
    return stage.run()
  },
  locked: async (stage) => {
    using _held = lockVolume(stage.stateDir, 'data')
    return await stage.run()
  },
  cancelled: (stage) => stage.run({}, { signal: AbortSignal.abort(new Cancelled('SIGTERM')) }),
}

test.each(Object.entries(ways))(
  'the report of a run that is "%s" is as its schema says',
  async (outcome, way) => {
    await using stage = await createStage(structuredClone(everyKind))
    const report = await way(stage)
    expect(report.outcome).toBe(outcome)
    expect(flawsIn(JSON.parse(JSON.stringify(report)))).toEqual([])
    expect(existsSync(stage.stateDir)).toBe(true)
  },
)

test('what is said of a wrong command line is as the schema says', () => {
  const document = { version: 1, outcome: 'usage error', error: reportedError(new Error('what?')) }
  expect(flawsIn(document)).toEqual([])
})

test.each<[string, (report: Report) => object]>([
  ['a field is missing', ({ leftOpen: _, ...rest }) => rest],
  ['there is a field that nobody knows', (report) => ({ ...report, colour: 'red' })],
  ['the version is another', (report) => ({ ...report, version: 2 })],
  ['the outcome is none of ours', (report) => ({ ...report, outcome: 'fine' })],
  [
    'a VM has no disks',
    (report) => ({ ...report, vms: [{ id: '1', name: 'a', state: 'protected', consistency: 'crash' }] }),
  ],
  [
    'a protected VM has no consistency',
    (report) => ({ ...report, vms: [{ id: '1', name: 'a', state: 'protected', disks: [] }] }),
  ],
  [
    'a failed VM has no reason',
    (report) => ({ ...report, outcome: 'failed', vms: [{ id: '1', name: 'a', state: 'failed', disks: [] }] }),
  ],
  [
    'it is protected with a VM that failed',
    (report) => ({ ...report, vms: [{ id: '1', name: 'a', state: 'failed', why: 'b', disks: [] }] }),
  ],
  ['it is protected with an error', (report) => ({ ...report, error: { message: 'a', causes: [] } })],
  ['it is refused without saying why', (report) => ({ ...report, outcome: 'refused' })],
  ['an error has no list of causes', (report) => ({ ...report, outcome: 'failed', error: { message: 'a' } })],
])('the schema refuses a report when %s', async (_what, spoil) => {
  await using stage = await createStage([aVm('web')])
  const report = await stage.run()
  expect(flawsIn(report)).toEqual([])
  expect(flawsIn(spoil(report))).not.toEqual([])
})
