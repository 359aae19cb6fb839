import { inspect } from 'node:util'
import { HttpResponse, http } from 'msw'
import { describe, expect, it } from 'vitest'
import { EngineError, hintOf } from '../../src/model/errors.ts'
import { createHttp } from '../../src/ovirt/http.ts'
import { api, config, fault, inTurn, noSignal, origin, useFakeEngine } from './fake-engine.ts'

const engine = useFakeEngine()
const page = '<html><head><title>Service Unavailable</title></head><body><h1>x</h1></body></html>'
const unavailable = () => HttpResponse.html(page, { status: 503 })
const fine = () => HttpResponse.json({ vm: [] })
const html401 = () => HttpResponse.html('<html><body>invalid_grant: expired</body></html>', { status: 401 })

async function errorOf(act: Promise<unknown>): Promise<EngineError> {
  const error: unknown = await act.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (error instanceof EngineError) return error
  throw new Error(`expected an EngineError, got ${inspect(error)}`)
}

const list = (client = createHttp(config())) => client.get('/vms', {}, 'list the VMs', noSignal)
const remove = (client = createHttp(config())) =>
  client.act({ method: 'DELETE', path: '/vms/1', tag: 'vmb-1', doing: 'remove VM 1' }, noSignal)

describe('signing on', () => {
  it('sends exactly the one Accept header the engine takes, and a form', async () => {
    engine.answers(http.get(`${api}/vms`, fine))
    await list()
    const [signOn] = engine.seen
    expect(signOn?.headers.get('accept')).toBe('application/json')
    expect(signOn?.headers.get('content-type')).toMatch('application/x-www-form-urlencoded')
    expect(Object.fromEntries(new URLSearchParams(signOn?.body))).toEqual({
      grant_type: 'password',
      scope: 'ovirt-app-api',
      username: 'admin@internal',
      password: 'se cret&',
    })
  })

  it('asks the API with the token, as version 4, for JSON', async () => {
    engine.answers(http.get(`${api}/vms`, fine))
    await list()
    const asked = engine.seen.at(-1)?.headers
    expect(asked?.get('authorization')).toBe('Bearer token-1')
    expect(asked?.get('version')).toBe('4')
    expect(asked?.get('accept')).toBe('application/json')
  })

  it('is done once for requests that begin together', async () => {
    engine.answers(http.get(`${api}/vms`, fine))
    const client = createHttp(config())
    await Promise.all([list(client), list(client), list(client)])
    expect(engine.signOns()).toBe(1)
  })

  it.each([
    [{ error_code: 'access_denied', error: "Cannot authenticate user 'admin@internal'." }],
    [{ error: 'access_denied', error_description: "Cannot authenticate user 'admin@internal'." }],
    [[{ error_code: 'access_denied', error: "Cannot authenticate user 'admin@internal'." }]],
  ])('tells a wrong password in the engine’s words: %j', async (body) => {
    engine.answers(
      http.post(`${origin}/ovirt-engine/sso/oauth/token`, () => HttpResponse.json(body, { status: 400 })),
    )
    const error = await errorOf(list())
    expect(error.message).toBe(
      "could not sign on as admin@internal: Cannot authenticate user 'admin@internal'. (HTTP 400)",
    )
    expect(hintOf(error)).toMatch('admin@ovirt@internalsso')
  })

  it('is done again, once, when the engine forgot the session', async () => {
    engine.answers(http.get(`${api}/vms`, inTurn(html401, fine)))
    await expect(list()).resolves.toEqual({ vm: [] })
    expect(engine.signOns()).toBe(2)
    expect(engine.seen.at(-1)?.headers.get('authorization')).toBe('Bearer token-2')
  })

  it('gives up when the new session is refused as well', async () => {
    engine.answers(http.get(`${api}/vms`, html401))
    const error = await errorOf(list())
    expect(error.status).toBe(401)
    expect(engine.signOns()).toBe(2)
  })

  it('repeats an act that was refused for want of a session', async () => {
    engine.answers(
      http.delete(
        `${api}/vms/1`,
        inTurn(html401, () => HttpResponse.json({ status: 'complete' })),
      ),
    )
    await remove()
    expect(engine.apiCalls()).toEqual([
      'DELETE /api/vms/1?correlation_id=vmb-1',
      'DELETE /api/vms/1?correlation_id=vmb-1',
    ])
  })

  it('goes on for the others when the one who began it is cancelled', async () => {
    const first = new AbortController()
    const answer = inTurn(
      () => {
        first.abort(new Error('stop it'))
        return HttpResponse.json({ access_token: 'never' })
      },
      () => HttpResponse.json({ access_token: 'second' }),
    )
    engine.answers(http.get(`${api}/vms`, fine), http.post(`${origin}/ovirt-engine/sso/oauth/token`, answer))
    const client = createHttp(config())
    const cancelled = client.get('/vms', {}, 'list the VMs', first.signal)
    const other = list(client)
    await expect(cancelled).rejects.toThrow('stop it')
    await expect(other).resolves.toEqual({ vm: [] })
  })

  it('shows the password and the token in no error, however deep one looks', async () => {
    engine.answers(http.get(`${api}/vms`, () => HttpResponse.error()))
    const error = inspect(await errorOf(list()), { depth: 20, showHidden: true })
    expect(error).not.toMatch(/cret|token-1/)
  })
})

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

describe('closing', () => {
  it('ends the session with its token', async () => {
    engine.answers(http.get(`${api}/vms`, fine))
    const client = createHttp(config())
    await list(client)
    await client.close()
    expect(engine.seen.at(-1)).toMatchObject({
      path: '/services/sso-logout',
      body: 'scope=ovirt-app-api&token=token-1',
    })
  })

  it('sends nothing when there is no session', async () => {
    await createHttp(config()).close()
    expect(engine.seen).toEqual([])
  })

  it('stays silent when the engine does not answer any more', async () => {
    engine.answers(
      http.get(`${api}/vms`, fine),
      http.post(`${origin}/ovirt-engine/services/sso-logout`, () => HttpResponse.error()),
    )
    const client = createHttp(config())
    await list(client)
    await expect(client.close()).resolves.toBeUndefined()
  })
})
