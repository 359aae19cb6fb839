import { afterEach, expect, test, vi } from 'vitest'
import { anEngine, form, passes, tokenForm } from './engine-support.ts'

afterEach(() => void vi.useRealTimers())

const tokens = '/ovirt-engine/sso/oauth/token'

test('a token request with any other Accept header is refused with 400', async () => {
  const { ask } = await anEngine()
  for (const accept of ['application/json, text/plain, */*', '*/*', 'application/xml']) {
    const reply = await ask('POST', tokens, tokenForm('admin@internal', 'secret'), { ...form, accept })
    expect(reply.status).toBe(400)
  }
})

test('a token comes with its scope, its type and its expiry in epoch milliseconds as a string', async () => {
  const { ask } = await anEngine()
  const { status, json } = await ask('POST', tokens, tokenForm('admin@internal', 'secret'), form)
  expect(status).toBe(200)
  expect(json).toMatchObject({ scope: 'ovirt-app-api', token_type: 'bearer' })
  expect(json.exp).toBe(String(Date.now() + 30 * 60_000))
})

test('a wrong password is 400 with access_denied', async () => {
  const { ask } = await anEngine()
  const { status, json } = await ask('POST', tokens, tokenForm('admin@internal', 'wrong'), form)
  expect(status).toBe(400)
  expect(json.error_code).toBe('access_denied')
  expect(json.error).toContain("Cannot authenticate user 'admin@internal'")
})

test('a token request without scope or with another grant type is 400', async () => {
  const { ask } = await anEngine()
  const user = 'username=admin%40internal&password=secret'
  expect((await ask('POST', tokens, `grant_type=password&${user}`, form)).status).toBe(400)
  expect((await ask('POST', tokens, `grant_type=x&scope=ovirt-app-api&${user}`, form)).status).toBe(400)
})

test('without credentials the API answers 401 in HTML and asks for Basic', async () => {
  const { ask } = await anEngine()
  const { status, headers, text } = await ask('GET', '/ovirt-engine/api')
  expect(status).toBe(401)
  expect(headers.get('www-authenticate')).toBe('Basic realm="RESTAPI"')
  expect(headers.get('content-type')).toContain('text/html')
  expect(text).toContain('<html>')
})

test('a token that is used lives on, an idle one expires after half an hour', async () => {
  const { admin } = await anEngine()
  await passes(29 * 60_000)
  expect((await admin('GET', '/clusters')).status).toBe(200)
  await passes(29 * 60_000)
  expect((await admin('GET', '/clusters')).status).toBe(200)
  await passes(31 * 60_000)
  expect((await admin('GET', '/clusters')).status).toBe(401)
})

test('a token that was logged out is worth nothing', async () => {
  const { ask } = await anEngine()
  const { json } = await ask('POST', tokens, tokenForm('admin@internal', 'secret'), form)
  const bearer = { authorization: `Bearer ${json.access_token}` }
  const logout = `scope=ovirt-app-api&token=${json.access_token}`
  const { status, json: answer } = await ask('POST', '/ovirt-engine/services/sso-logout', logout, form)
  expect({ status, answer }).toEqual({ status: 200, answer: {} })
  expect((await ask('GET', '/ovirt-engine/api', undefined, bearer)).status).toBe(401)
})

test('Basic credentials work, and keep a session only on request', async () => {
  const { ask } = await anEngine()
  const authorization = `Basic ${btoa('admin@internal:secret')}`
  const plain = await ask('GET', '/ovirt-engine/api', undefined, { authorization })
  expect([plain.status, plain.headers.get('set-cookie')]).toEqual([200, null])
  const kept = await ask('GET', '/ovirt-engine/api', undefined, { authorization, prefer: 'persistent-auth' })
  const cookie = kept.headers.get('set-cookie')?.split(';')[0] ?? ''
  expect(cookie).toMatch(/^JSESSIONID=/)
  expect((await ask('GET', '/ovirt-engine/api', undefined, { cookie })).status).toBe(200)
})

test('the CA certificate is given to everyone', async () => {
  const { ask } = await anEngine()
  const path = '/ovirt-engine/services/pki-resource?resource=ca-certificate&format=X509-PEM-CA'
  expect((await ask('GET', path)).text).toContain('BEGIN CERTIFICATE')
})

test('a user without the right gets a 403 fault and nothing happens', async () => {
  const { as, vm } = await anEngine()
  const reader = await as('reader@internal')
  const { status, json } = await reader('POST', `/vms/${vm('vm1').id}/snapshots`, { description: 'x' })
  expect(status).toBe(403)
  expect(json).toEqual({
    reason: 'Operation Failed',
    detail: '[User is not authorized to perform this action.]',
  })
  expect(vm('vm1').snapshots).toHaveLength(1)
})

test('a user who is no administrator sees lists only when filtered, and then not where storage lies', async () => {
  const { as } = await anEngine()
  const guest = await as('guest@internal')
  expect((await guest('GET', '/storagedomains')).status).toBe(403)
  const { status, json } = await guest('GET', '/storagedomains', undefined, { filter: 'true' })
  expect(status).toBe(200)
  expect(json.storage_domain[0].storage).toBeUndefined()
})

test('the request log shows who asked for what, without secrets', async () => {
  const { ask, log } = await anEngine()
  log.clear()
  await ask('POST', tokens, tokenForm('admin@internal', 'secret'), form)
  const [entry] = log.entries()
  expect(entry).toMatchObject({ method: 'POST', path: tokens, status: 200 })
  expect(JSON.stringify(entry)).not.toContain('=secret')
  expect(log.changes()).toEqual([])
})
