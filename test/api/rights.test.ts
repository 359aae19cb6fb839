import { expect, it } from 'vitest'
import { addToken, removeToken } from '../../src/api/tokens.ts'
import { type Served, served } from './an-api.ts'
import { documentOf, filledIn, type Operation, operationsIn } from './the-document.ts'

const names = { job: 'nightly', vm: 'web01', run: '20261121T120000Z-0a1b2c3d' }

async function send({ url }: Served, { method, path, body }: Operation, token?: string) {
  const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` }
  if (body) headers['content-type'] = 'application/json'
  const values = { vms: ['web01'], policy: 'gold' }
  const known = Object.keys((body?.schema['properties'] ?? {}) as object)
  const data = body ? { body: JSON.stringify(values, known) } : {}
  const response = await fetch(url + filledIn(path, names), { method, headers, ...data })
  if (response.headers.get('content-type') === 'text/event-stream') await response.body?.cancel()
  return response
}

async function operationsOf(
  api: Served,
  right: (right: string | undefined) => boolean,
): Promise<Operation[]> {
  const found = operationsIn(await documentOf(api)).filter((one) => right(one.right))
  expect(found.length).toBeGreaterThan(1)
  return found
}

it('asks nobody for a token for health and for where the API is, and for nothing else', async () => {
  const open = await operationsOf(await served(), (right) => right === undefined)
  expect(open.map(({ path }) => path).sort()).toEqual(['/', '/api/v1/health'])
})

it('refuses every other request without a token, and does nothing', async () => {
  const api = await served()
  const before = JSON.stringify([api.agent.jobs(), api.agent.vms()])
  for (const operation of await operationsOf(api, (right) => right !== undefined)) {
    const response = await send(api, operation)
    expect(response.status, operation.id).toBe(401)
    expect(response.headers.get('www-authenticate')).toBe('Bearer realm="vmbackup"')
    expect(await response.json()).toEqual({
      error: { message: 'a token is needed', hint: expect.any(String) },
    })
  }
  expect(JSON.stringify([api.agent.jobs(), api.agent.vms()])).toBe(before)
})

it('refuses every such request with a wrong token, whatever it looks like', async () => {
  const api = await served()
  const right = api.tokens.operate
  const last = right.endsWith('A') ? 'B' : 'A'
  const wrong = [
    `${right.slice(0, -1)}${last}`,
    right.slice(0, -1),
    `${right}A`,
    right.slice(4),
    'vmb_',
    '*',
    "' OR 1=1 --",
  ]
  for (const operation of await operationsOf(api, (one) => one !== undefined)) {
    for (const token of wrong) {
      const response = await send(api, operation, token)
      expect(response.status, `${operation.id} ${token}`).toBe(401)
      expect(response.headers.get('www-authenticate')).toContain('error="invalid_token"')
      expect(await response.text()).not.toContain(right.slice(0, -1))
    }
  }
  expect(api.acts).toEqual(expect.arrayContaining([expect.objectContaining({ who: 'nobody', status: 401 })]))
})

it('refuses a read token on every operate route, and does nothing', async () => {
  const api = await served()
  const before = JSON.stringify([api.agent.jobs(), api.agent.vms()])
  for (const operation of await operationsOf(api, (right) => right === 'operate')) {
    const response = await send(api, operation, api.tokens.read)
    expect(response.status, operation.id).toBe(403)
    expect(response.headers.get('www-authenticate')).toContain('insufficient_scope')
    expect(await response.json()).toEqual({
      error: { message: 'the token grafana may read only', hint: expect.any(String) },
    })
  }
  expect(JSON.stringify([api.agent.jobs(), api.agent.vms()])).toBe(before)
})

it('says without a token that there is nothing at an address', async () => {
  const { url } = await served()
  expect((await fetch(`${url}/api/v1/nothing`)).status).toBe(404)
})

it('holds every route that is no GET for an operate route', async () => {
  for (const { method, right } of await operationsOf(await served(), (right) => right !== undefined)) {
    expect(right).toBe(method === 'GET' ? 'read' : 'operate')
  }
})

it('answers every read route to a read token, and every route to an operate token', async () => {
  const api = await served({ metrics: async () => ({ contentType: 'text/plain', text: 'up 1\n' }) })
  for (const operation of await operationsOf(api, () => true)) {
    if (operation.right === 'read') expect((await send(api, operation, api.tokens.read)).status).toBe(200)
    const response = await send(api, operation, api.tokens.operate)
    expect(response.status, operation.id).toBeLessThan(300)
  }
  expect(api.acts).toEqual(
    expect.arrayContaining([{ who: 'ops', path: '/api/v1/jobs/nightly/start', status: 202 }]),
  )
  expect(api.errors).toEqual([])
})

it('lets a token in from the moment it is added, and not from the moment it is removed', async () => {
  const api = await served()
  const status = async (token: string) =>
    (await fetch(`${api.url}/api/v1/status`, { headers: { authorization: `Bearer ${token}` } })).status
  const token = addToken(api.stateDir, { name: 'new', right: 'read' }, new Date())
  expect(await status(token)).toBe(200)
  removeToken(api.stateDir, 'new')
  expect(await status(token)).toBe(401)
  expect(await status(api.tokens.read)).toBe(200)
})

it('gives metrics without a token only where open_metrics is set, and nothing else with it', async () => {
  const metrics = async () => ({ contentType: 'text/plain; version=0.0.4; charset=utf-8', text: 'up 1\n' })
  const closed = await served({ metrics })
  expect((await fetch(`${closed.url}/metrics`)).status).toBe(401)
  const open = await served({ metrics, api: { openMetrics: true } })
  const response = await fetch(`${open.url}/metrics`)
  expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8')
  expect(await response.text()).toBe('up 1\n')
  expect((await fetch(`${open.url}/api/v1/status`)).status).toBe(401)
})
