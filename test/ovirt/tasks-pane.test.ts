import { HttpResponse, http } from 'msw'
import { describe, expect, it } from 'vitest'
import { createEngine } from '../../src/ovirt/engine.ts'
import { api, config, fault, json, noSignal, useFakeEngine } from './fake-engine.ts'

const engine = useFakeEngine()

describe('our jobs in the Tasks pane', () => {
  it('are opened so that the engine clears them, with steps, and are ended by result', async () => {
    engine.answers(
      http.post(`${api}/jobs`, () => json({ id: 'j1' }, 201)),
      http.post(`${api}/jobs/j1/steps`, () => json({ id: 't1' }, 201)),
      http.post(`${api}/jobs/j1/steps/t1/end`, () => json({ status: 'complete' })),
      http.post(`${api}/jobs/j1/end`, () => json({ status: 'complete' })),
    )
    const client = createEngine(config())
    const job = await client.openJob('backup', 'vmb-1', noSignal)
    const step = await client.openStep(job, 'snapshots', 'vmb-2', noSignal)
    await client.closeStep(job, step, false, noSignal)
    await client.closeJob(job, false, noSignal)
    expect(engine.bodies()).toEqual([
      { description: 'backup', auto_cleared: 'true' },
      { description: 'snapshots', type: 'executing' },
      { succeeded: 'false' },
      { succeeded: 'false', force: 'true' },
    ])
  })

  it.each([
    ['gone', 400, () => new HttpResponse(null, { status: 404 })],
    ['gone, and told so', 404, () => new HttpResponse(null, { status: 404 })],
    ['ended', 400, () => json({ id: 'j1', status: 'failed', external: 'true' })],
  ])('count as ended when they are %s (HTTP %d)', async (_name, status, look) => {
    engine.answers(
      http.post(`${api}/jobs/j1/end`, () => fault(status, 'Cannot clear External Job. Job not found.')),
      http.get(`${api}/jobs/j1`, look),
    )
    await expect(createEngine(config()).closeJob('j1', true, noSignal)).resolves.toBeUndefined()
  })

  it('are not ended while the engine shows them running', async () => {
    engine.answers(
      http.post(`${api}/jobs/j1/end`, () => fault(400, 'Not an external job.')),
      http.get(`${api}/jobs/j1`, () => json({ id: 'j1', status: 'started' })),
    )
    await expect(createEngine(config()).closeJob('j1', true, noSignal)).rejects.toThrow('Not an external job')
  })

  it('are found by their text while they are open', async () => {
    const job = (id: string, changes: object) => ({
      id,
      status: 'started',
      external: 'true',
      description: 'vmbackup R1: x',
      ...changes,
    })
    engine.answers(
      http.get(`${api}/jobs`, () =>
        json({
          job: [
            job('a', {}),
            job('b', { external: 'false' }),
            job('c', { status: 'finished' }),
            job('d', { description: 'other' }),
          ],
        }),
      ),
    )
    await expect(createEngine(config()).findJobs('vmbackup R1', noSignal)).resolves.toEqual(['a'])
  })
})
