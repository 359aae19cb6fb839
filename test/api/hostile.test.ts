import { connect } from 'node:net'
import { expect, it, vi } from 'vitest'
import { type Asking, ask, type Served, served } from './an-api.ts'

/** What comes back to bytes that no client of ours would send. */
async function raw({ url }: Served, text: string): Promise<string> {
  const { hostname, port } = new URL(url)
  const client = connect(Number(port), hostname)
  let answer = ''
  let closed = false
  client
    .on('error', () => undefined)
    .on('close', () => {
      closed = true
    })
  client.on('data', (piece) => {
    answer += piece
  })
  client.write(text)
  await vi.waitFor(() => expect(closed).toBe(true), { timeout: 5000 })
  return answer
}

const withHost = (host: string) => `GET /api/v1/health HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n\r\n`

it.each([
  'evil.example.com',
  'evil.example.com:9736',
  '127.0.0.1.evil.example.com',
  'localhost.evil',
  '192.0.2.1',
  '0.0.0.0',
  '',
  '[::2]',
])('answers nothing on loopback to a request for the host %j', async (host) => {
  const answer = await raw(await served(), withHost(host))
  expect(answer).toMatch(/^HTTP\/1.1 421 /)
  expect(answer).toContain('"hint"')
})

it.each(['localhost', 'LOCALHOST:9736', '127.0.0.1', '127.0.0.1:1', '[::1]:9736', '127.1.2.3'])(
  'answers on loopback to a request for %s',
  async (host) => {
    expect(await raw(await served(), withHost(host))).toMatch(/^HTTP\/1.1 200 /)
  },
)

it('does not tell pages of other sites that they may ask', async () => {
  const { socket } = await served()
  const headers = { origin: 'https://evil.example.com', 'access-control-request-method': 'POST' }
  const asked = await ask(socket, '/api/v1/jobs/nightly/start', { method: 'OPTIONS', headers })
  expect(asked.status).toBe(404)
  const answers = [asked, await ask(socket, '/api/v1/status', { headers })]
  for (const answer of answers) {
    expect(Object.keys(answer.headers).filter((name) => name.startsWith('access-control'))).toEqual([])
    expect(answer.headers['cache-control']).toBe('no-store')
    expect(answer.headers['x-content-type-options']).toBe('nosniff')
  }
})

const protect = '/api/v1/vms/web01/protect'
const json = { 'content-type': 'application/json' }
const wrong: [string, string, Asking, number][] = [
  [
    'a body that is too large',
    protect,
    { method: 'POST', headers: json, body: `"${'x'.repeat(300_000)}"` },
    413,
  ],
  ['a body that is no JSON', protect, { method: 'POST', headers: json, body: '{' }, 400],
  [
    'a body of another type',
    protect,
    { method: 'POST', headers: { 'content-type': 'text/plain' }, body: '{}' },
    415,
  ],
  [
    'a body that changes prototypes',
    protect,
    { method: 'POST', headers: json, body: '{"__proto__":{"x":1}}' },
    400,
  ],
  [
    'a body with keys that mean nothing',
    protect,
    { method: 'POST', headers: json, body: '{"polcy":"gold"}' },
    400,
  ],
  ['a query that means nothing', '/api/v1/vms?jbo=nightly', {}, 400],
  ['a query twice', '/api/v1/runs?limit=1&limit=2', {}, 400],
  ['more runs than are given', '/api/v1/runs?limit=1001', {}, 400],
  ['a path that cannot be read', '/api/v1/vms/%ff', {}, 400],
  ['the id of a run that is none', '/api/v1/runs/..%2f..%2fetc', {}, 400],
  ['a job that there is not', '/api/v1/vms?job=weekly', {}, 404],
  ['an address that there is not', '/api/v2/status', {}, 404],
  ['another method', '/api/v1/status', { method: 'DELETE' }, 404],
]

it.each(wrong)('refuses %s with a reason and nothing else', async (_, path, asking, status) => {
  const { socket, errors } = await served()
  const answer = await ask(socket, path, asking)
  expect(answer.status).toBe(status)
  const { error } = JSON.parse(answer.body) as { error: Record<string, string> }
  expect(Object.keys(error).filter((key) => key !== 'hint')).toEqual(['message'])
  expect(error['message']).not.toBe('')
  expect(errors).toEqual([])
})

it('answers what is no HTTP, and too much of it, in the same shape', async () => {
  const api = await served()
  const broken = await raw(api, 'HELLO\r\n\r\n')
  expect(broken).toMatch(/^HTTP\/1.1 400 /)
  expect(JSON.parse(broken.split('\r\n\r\n')[1] ?? '')).toMatchObject({
    error: { message: expect.any(String) },
  })
  const long = await raw(api, `GET / HTTP/1.1\r\nhost: localhost\r\nx: ${'x'.repeat(100_000)}\r\n\r\n`)
  expect(long).toMatch(/^HTTP\/1.1 431 /)
})
