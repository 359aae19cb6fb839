import { expect, test } from 'vitest'
import { Cancelled } from '../../src/model/errors.ts'
import { createStage } from '../support/stage.ts'

test.each(['openJob', 'openStep', 'closeStep'] as const)(
  'a run is protected, with one warning, when the engine refuses %s',
  async (method) => {
    await using stage = await createStage()
    stage.engine.faults.failing[method] = 'no right to do this'
    const report = await stage.run()
    expect(report.outcome).toBe('protected')
    expect(report.warnings).toEqual([
      `the engine's Tasks pane is not up to date: ${method}: no right to do this`,
    ])
    expect(stage.owed()).toEqual([])
  },
)

test('a job that the engine cannot end is owed to the next run, which ends it', async () => {
  await using stage = await createStage()
  stage.engine.faults.failing.closeJob = 'no answer'
  const report = await stage.run()
  expect(report.leftOpen).toMatchObject([{ why: 'closeJob: no answer' }])
  expect(stage.engine.world.jobs.filter(({ state }) => state === 'running')).toHaveLength(1)
  stage.engine.faults.failing = {}
  await stage.run()
  expect(stage.engine.world.jobs.filter(({ state }) => state === 'running')).toEqual([])
})

test('a step that failed is shown as failed, and the job with it', async () => {
  await using stage = await createStage()
  stage.engine.faults.failing.vms = ''
  const controller = new AbortController()
  await stage.run()
  stage.engine.faults.failing = {}
  await stage.run(
    {},
    {
      signal: controller.signal,
      onEvent(event) {
        if (event.kind === 'step began' && event.step === 'replicate')
          stage.engine.faults.failing.vms = 'no answer'
      },
    },
  )
  const failed = stage.engine.world.steps.filter(({ succeeded }) => succeeded === false)
  expect(failed.map(({ step }) => step)).toEqual(['look again'])
  const panes = stage.engine.world.jobs.filter(({ id }) => id.startsWith('pane-'))
  expect(panes.map(({ state }) => state)).toEqual(['failed'])
})

test('a cancelled run gives no warning that the pane is not up to date', async () => {
  await using stage = await createStage()
  const controller = new AbortController()
  const report = await stage.run(
    {},
    {
      signal: controller.signal,
      onEvent(event) {
        if (event.kind === 'step began' && event.step === 'merge') controller.abort(new Cancelled('SIGINT'))
      },
    },
  )
  expect(report.warnings).toEqual([])
})
