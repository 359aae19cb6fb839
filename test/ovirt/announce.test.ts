import { http } from 'msw'
import { describe, expect, it } from 'vitest'
import { createEngine } from '../../src/ovirt/engine.ts'
import { api, config, domain, fault, json, noSignal, useFakeEngine } from './fake-engine.ts'

const engine = useFakeEngine()

describe('announcing', () => {
  const created = () => json({ id: '1' }, 201)

  it('posts an event with its number and what it is about', async () => {
    engine.answers(http.post(`${api}/events`, created))
    await createEngine(config()).announce(
      { severity: 'warning', text: 'x', domain, clusterId: 'c1' },
      7,
      noSignal,
    )
    expect(engine.bodies()).toEqual([
      {
        origin: 'vmbackup',
        severity: 'warning',
        custom_id: 7,
        description: 'x',
        storage_domain: { id: 'sd1' },
        data_center: { id: 'dc1' },
        cluster: { id: 'c1' },
      },
    ])
  })

  it('cuts a text that is too long', async () => {
    engine.answers(http.post(`${api}/events`, created))
    await createEngine(config()).announce({ severity: 'alert', text: 'x'.repeat(20_000) }, 7, noSignal)
    expect(engine.bodies()[0].description).toHaveLength(10_000)
  })

  it('is done when the event is there already', async () => {
    const there = () =>
      fault(400, '=Cannot add External Event. External Event with this custom id already exists.')
    engine.answers(http.post(`${api}/events`, there))
    await expect(
      createEngine(config()).announce({ severity: 'normal', text: 'x' }, 7, noSignal),
    ).resolves.toBeUndefined()
  })

  it('tells any other refusal', async () => {
    engine.answers(http.post(`${api}/events`, () => fault(400, 'Illegal Origin for External Event : oVirt')))
    const posted = createEngine(config({ origin: 'oVirt' })).announce(
      { severity: 'normal', text: 'x' },
      7,
      noSignal,
    )
    await expect(posted).rejects.toThrow('could not post event 7 to the engine: Illegal Origin')
  })

  it.each([-1, 1.5, 2 ** 31])('refuses the number %d, which the engine cannot keep', async (number) => {
    await expect(
      createEngine(config()).announce({ severity: 'normal', text: 'x' }, number, noSignal),
    ).rejects.toThrow('31 bits')
  })
})
