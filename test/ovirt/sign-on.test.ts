import { inspect } from 'node:util'
import { HttpResponse, http } from 'msw'
import { describe, expect, it } from 'vitest'
import { hintOf } from '../../src/model/errors.ts'
import { createHttp } from '../../src/ovirt/http.ts'
import { errorOf, fine, list, remove } from './asked.ts'
import { api, config, inTurn, origin, useFakeEngine } from './fake-engine.ts'

const engine = useFakeEngine()
const html401 = () => HttpResponse.html('<html><body>invalid_grant: expired</body></html>', { status: 401 })

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
