import { HttpResponse, http } from 'msw'
import { describe, expect, it } from 'vitest'
import { hintOf } from '../../src/model/errors.ts'
import { createHttp } from '../../src/ovirt/http.ts'
import { errorOf, fine, list, page, remove, unavailable } from './asked.ts'
import { api, config, fault, inTurn, noSignal, useFakeEngine } from './fake-engine.ts'

const engine = useFakeEngine()

describe('a safe request', () => {
  it('waits for an engine that restarts', async () => {
    engine.answers(http.get(`${api}/vms`, inTurn(unavailable, unavailable, fine)))
    await expect(list()).resolves.toEqual({ vm: [] })
  })

  it('gives up after the time allowed and tells the page’s title, not the page', async () => {
    engine.answers(http.get(`${api}/vms`, unavailable))
    const clock = config({ restartMs: 30_000 })
    const error = await errorOf(list(createHttp(clock)))
    expect(clock.slept()).toBeLessThanOrEqual(30_000)
    expect(clock.slept()).toBeGreaterThan(15_000)
    expect(error.message).toBe(
      'could not list the VMs: the engine answered with a page that says "Service Unavailable" (HTTP 503)',
    )
  })

  it('is repeated when a connection breaks once the engine was reached', async () => {
    engine.answers(
      http.get(
        `${api}/vms`,
        inTurn(() => HttpResponse.error(), fine),
      ),
    )
    await expect(list()).resolves.toEqual({ vm: [] })
  })

  it('ends at once when it is cancelled, with the reason given', async () => {
    const cancelled = new AbortController()
    engine.answers(
      http.get(`${api}/vms`, () => {
        cancelled.abort(new Error('stop it'))
        return unavailable()
      }),
    )
    const asked = createHttp(config()).get('/vms', {}, 'list the VMs', cancelled.signal)
    await expect(asked).rejects.toThrow('stop it')
  })

  it('does not read more than allowed', async () => {
    engine.answers(http.get(`${api}/vms`, () => HttpResponse.json({ vm: 'x'.repeat(10_000) })))
    const error = await errorOf(list(createHttp(config({ maxAnswerBytes: 1000 }))))
    expect(error.message).toMatch('larger than allowed')
  })

  it('does not follow a redirect and names its target', async () => {
    const moved = () => new Response(null, { status: 302, headers: { location: 'https://other.test/x' } })
    engine.answers(http.get(`${api}/vms`, moved))
    expect(hintOf(await errorOf(list()))).toMatch('https://other.test')
  })

  it.each([
    ['{"vm": [', 'json'],
    ['<!doctype html><title>Portal</title>', 'html'],
  ])('refuses what is not JSON: %s', async (text) => {
    engine.answers(http.get(`${api}/vms`, () => HttpResponse.text(text)))
    const error = await errorOf(list())
    expect(error.message).toMatch('instead of JSON')
    expect(error.message).not.toMatch('doctype')
  })

  it('tells a refusal without the brackets of the engine’s list', async () => {
    engine.answers(http.get(`${api}/vms`, () => fault(400, 'Bad search.')))
    expect((await errorOf(list())).message).toBe('could not list the VMs: Bad search. (HTTP 400)')
  })

  it('counts a web page saying 404 not as the thing being gone', async () => {
    engine.answers(http.get(`${api}/vms`, () => HttpResponse.html(page, { status: 404 })))
    expect((await errorOf(list())).status).toBeUndefined()
  })

  it('takes an empty 404 as the thing being gone', async () => {
    engine.answers(http.get(`${api}/vms`, () => new Response(null, { status: 404 })))
    expect((await errorOf(list())).status).toBe(404)
  })
})

describe('an act', () => {
  it('waits while things are locked, under a fresh correlation id for each try', async () => {
    const locked = () => fault(409, 'Cannot remove Snapshot. VM is locked.')
    engine.answers(
      http.delete(
        `${api}/vms/1`,
        inTurn(locked, locked, () => HttpResponse.json({ status: 'complete' })),
      ),
    )
    const client = createHttp(config())
    await expect(remove(client)).resolves.toMatchObject({ tag: 'vmb-1-r3' })
    expect(engine.apiCalls()).toEqual([
      'DELETE /api/vms/1?correlation_id=vmb-1',
      'DELETE /api/vms/1?correlation_id=vmb-1-r2',
      'DELETE /api/vms/1?correlation_id=vmb-1-r3',
    ])
    expect([...client.refusedTags]).toEqual(['vmb-1', 'vmb-1-r2'])
  })

  it('gives up on a lock after the time allowed', async () => {
    engine.answers(http.delete(`${api}/vms/1`, () => fault(409, 'VM is locked.')))
    const clock = config({ busyMs: 20_000 })
    const error = await errorOf(remove(createHttp(clock)))
    expect(error).toMatchObject({ status: 409, message: 'could not remove VM 1: VM is locked. (HTTP 409)' })
    expect(clock.slept()).toBeLessThanOrEqual(20_000)
  })

  it('does not wait where waiting cannot help', async () => {
    engine.answers(http.delete(`${api}/vms/1`, () => fault(409, 'Cannot create Snapshot. Low disk space.')))
    const clock = config()
    await errorOf(remove(createHttp(clock)))
    expect(clock.slept()).toBe(0)
  })

  it('keeps a long correlation id within 50 characters on the next try', async () => {
    const tag = 'a'.repeat(50)
    engine.answers(
      http.post(
        `${api}/jobs`,
        inTurn(
          () => fault(409, 'busy'),
          () => HttpResponse.json({ id: '1' }),
        ),
      ),
    )
    const done = await createHttp(config()).act({ method: 'POST', path: '/jobs', tag, doing: 'x' }, noSignal)
    expect(done.tag).toBe(`${'a'.repeat(47)}-r2`)
  })

  it('refuses a tag that the engine would change', async () => {
    const act = createHttp(config()).act({ method: 'POST', path: '/jobs', tag: 'a_b', doing: 'x' }, noSignal)
    await expect(act).rejects.toThrow('correlation id')
  })

  it.each([
    ['a broken connection', () => HttpResponse.error()],
    ['a gateway’s 504', () => HttpResponse.html(page, { status: 504 })],
    ['a gateway’s 502', () => HttpResponse.html(page, { status: 502 })],
  ])('is not repeated after %s, and the error says that its outcome is unknown', async (_name, answer) => {
    engine.answers(http.get(`${api}/vms`, fine), http.delete(`${api}/vms/1`, answer))
    const client = createHttp(config())
    await list(client)
    const error = await errorOf(remove(client))
    expect(error.message).toMatch('not known whether the engine accepted it')
    expect(engine.apiCalls().filter((call) => call.startsWith('DELETE'))).toHaveLength(1)
  })

  it('is repeated after a broken connection when twice is the same as once', async () => {
    const accepted = () => HttpResponse.json({ id: '1' }, { status: 201 })
    engine.answers(
      http.get(`${api}/vms`, fine),
      http.post(
        `${api}/events`,
        inTurn(() => HttpResponse.error(), unavailable, accepted),
      ),
    )
    const client = createHttp(config())
    await list(client)
    const act = { method: 'POST', path: '/events', doing: 'post', repeatable: true } as const
    await expect(client.act(act, noSignal)).resolves.toMatchObject({ body: { id: '1' } })
  })

  it.each([
    [
      'inside an action',
      409,
      { status: 'failed', fault: { reason: 'Operation Failed', detail: '[unplugged disks]' } },
    ],
    ['plainly', 400, { reason: 'Operation Failed', detail: '[unplugged disks]' }],
    ['in an answer of success', 200, { status: 'failed', fault: { detail: '[unplugged disks]' } }],
  ])('tells a refusal given %s', async (_name, status, body) => {
    engine.answers(http.delete(`${api}/vms/1`, () => HttpResponse.json(body, { status })))
    expect((await errorOf(remove())).message).toMatch('could not remove VM 1: unplugged disks')
  })
})
