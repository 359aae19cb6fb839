import { http } from 'msw'
import { describe, expect, it } from 'vitest'
import { createEngine } from '../../src/ovirt/engine.ts'
import { api, aVmRow, config, domain, fault, inTurn, json, noSignal, useFakeEngine } from './fake-engine.ts'

const engine = useFakeEngine()

describe('observing', () => {
  const started = { status: 'complete', job: { id: 'job-1' } }
  const jobs = (...rows: object[]) => http.get(`${api}/jobs`, () => json({ job: rows }))
  const events = (...rows: object[]) => http.get(`${api}/events`, () => json({ event: rows }))
  const event = (id: number, tag: string, code: number) => ({
    id: `${id}`,
    code: `${code}`,
    severity: 'normal',
    correlation_id: tag,
  })

  it('takes three requests for 100 VMs, and a VM that is gone is missing', async () => {
    const ids = Array.from(
      { length: 100 },
      (_, index) => `0b6a2f5e-6f2c-4d0b-9a53-${String(index).padStart(12, '0')}`,
    )
    engine.answers(
      http.get(`${api}/vms`, () => json({ vm: ids.slice(1).map((id) => aVmRow(id)) })),
      http.post(`${api}/storagedomains/sd1/updateovfstore`, () => json(started)),
      jobs({ id: 'job-1', status: 'started', description: 'Updating OVFs' }),
      events(),
    )
    const client = createEngine(config())
    await client.updateOvfStore(domain, 'vmb-1-1', noSignal)
    const before = engine.apiCalls().length
    const seen = await client.observe(
      ids.map((id) => ({ id, name: id })),
      'vmb-1',
      noSignal,
    )
    expect(seen.vms.size).toBe(99)
    expect(engine.apiCalls().slice(before)).toHaveLength(3)
    expect(Math.max(...engine.seen.map(({ path }) => path.length))).toBeLessThan(6000)
  })

  it('tells the jobs of our acts by the tag they were given, whatever try the engine took', async () => {
    engine.answers(
      http.delete(
        `${api}/vms/vm1/snapshots/s1`,
        inTurn(
          () => fault(409, 'VM is locked.'),
          () => json(started),
        ),
      ),
      jobs({ id: 'job-1', status: 'started', description: 'Removing' }, { id: 'job-0', status: 'failed' }),
      events(event(2, 'vmb-1-7-r2', 342), event(1, 'vmb-1-7', 343), event(3, 'vmb-2', 357)),
    )
    const client = createEngine(config())
    await client.removeSnapshot({ id: 'vm1', name: 'web1' }, 's1', 'vmb-1-7', noSignal)
    const seen = await client.observe([], 'vmb-1', noSignal)
    expect(seen.jobs).toEqual([{ id: 'job-1', tag: 'vmb-1-7', description: 'Removing', state: 'running' }])
    expect(seen.events.map(({ tag, code }) => [tag, code])).toEqual([['vmb-1-7', 342]])
    expect(engine.apiCalls()).toContain('GET /api/jobs?search=correlation_id=vmb-1-7-r2&follow=steps')
    expect(engine.apiCalls()).toContain('GET /api/events?search=correlation_id=vmb-1*&max=500')
  })

  it('tells how far a job is by its steps, with their percentages where the engine has them', async () => {
    const stepsAt = (progress?: number) => ({
      step: [
        { id: 'b', status: 'started', ...(progress === undefined ? {} : { progress: String(progress) }) },
        { id: 'a', status: 'finished' },
      ],
    })
    engine.answers(
      http.delete(`${api}/vms/vm1/snapshots/s1`, () => json(started)),
      http.get(
        `${api}/jobs`,
        inTurn(
          () => json({ job: [{ id: 'job-1', status: 'started', steps: stepsAt() }] }),
          () => json({ job: [{ id: 'job-1', status: 'started', steps: stepsAt(40) }] }),
          () => json({ job: [{ id: 'job-1', status: 'started', steps: { href: '/api/jobs/job-1/steps' } }] }),
        ),
      ),
      events(),
    )
    const client = createEngine(config())
    await client.removeSnapshot({ id: 'vm1', name: 'web1' }, 's1', 'vmb-1-7', noSignal)
    const looks = [1, 2, 3].map(() => client.observe([], 'vmb-1', noSignal))
    const seen: (string | undefined)[] = []
    for (const look of looks) seen.push((await look).jobs[0]?.progress)
    expect(new Set(seen)).toEqual(
      new Set(['a finished , b started ', 'a finished , b started 40', undefined]),
    )
  })

  it('finds the job of a snapshot, which the engine does not name in its answer', async () => {
    engine.answers(
      http.post(`${api}/vms/vm1/snapshots`, () => json({ id: 's1' }, 202)),
      http.get(
        `${api}/jobs`,
        inTurn(
          () => json({ job: [{ id: 'job-9', status: 'started' }] }),
          () => json({ job: [{ id: 'job-9', status: 'finished' }] }),
        ),
      ),
      events(),
    )
    const client = createEngine(config())
    const overlays = [{ image: 'i', base: 'b', overlay: 'o' }]
    await client.takeSnapshot(
      { id: 'vm1', name: 'web1' },
      { description: 'x', overlays },
      'vmb-1-1',
      noSignal,
    )
    const seen = await client.observe([], 'vmb-1', noSignal)
    expect(seen.jobs).toMatchObject([{ id: 'job-9', tag: 'vmb-1-1', state: 'finished' }])
  })

  it('remembers how a job ended after the engine has cleared it away', async () => {
    engine.answers(
      http.delete(`${api}/vms/vm1/snapshots/s1`, () => json(started)),
      http.get(
        `${api}/jobs`,
        inTurn(
          () => json({ job: [{ id: 'job-1', status: 'failed' }] }),
          () => json({}),
        ),
      ),
      events(),
    )
    const client = createEngine(config())
    await client.removeSnapshot({ id: 'vm1', name: 'web1' }, 's1', 'vmb-1-1', noSignal)
    await client.observe([], 'vmb-1', noSignal)
    const seen = await client.observe([], 'vmb-1', noSignal)
    expect(seen.jobs).toMatchObject([{ state: 'failed' }])
  })

  it('loses a job that the engine cleared away before anyone saw its end', async () => {
    engine.answers(
      http.delete(`${api}/vms/vm1/snapshots/s1`, () => json(started)),
      jobs(),
      events(),
    )
    const client = createEngine(config())
    await client.removeSnapshot({ id: 'vm1', name: 'web1' }, 's1', 'vmb-1-1', noSignal)
    expect((await client.observe([], 'vmb-1', noSignal)).jobs).toEqual([])
  })
})
