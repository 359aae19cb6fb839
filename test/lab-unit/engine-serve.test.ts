import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { serve } from '../../src/lab/engine/serve-http.ts'

const port = { host: '127.0.0.1', port: 0 }

test('requests and answers pass with method, body, headers and status', async () => {
  await using served = await serve(async (asked) => {
    const text = `${asked.method} ${new URL(asked.url).pathname} ${await asked.text()} ${asked.headers.get('x-test')}`
    return new Response(text, { status: 201, headers: { 'x-answer': 'yes' } })
  }, port)
  const response = await fetch(`${served.address}/a`, {
    method: 'POST',
    body: 'hello',
    headers: { 'x-test': '1' },
  })
  expect([response.status, response.headers.get('x-answer')]).toEqual([201, 'yes'])
  expect(await response.text()).toBe('POST /a hello 1')
})

test('HEAD has the length but no body', async () => {
  await using served = await serve(async () => new Response('12345'), port)
  const response = await fetch(served.address, { method: 'HEAD' })
  expect([response.headers.get('content-length'), await response.text()]).toEqual(['5', ''])
})

test('an error response drops the connection, and so does a handler that throws', async () => {
  await using dropping = await serve(async () => Response.error(), port)
  await expect(fetch(dropping.address)).rejects.toThrow()
  await using throwing = await serve(() => Promise.reject(new Error('no')), port)
  await expect(fetch(throwing.address)).rejects.toThrow()
})

test('a body beyond the bound is 413', async () => {
  await using served = await serve(async () => new Response('ok'), port)
  const response = await fetch(served.address, { method: 'POST', body: Buffer.alloc(17 * 1024 * 1024) })
  expect(response.status).toBe(413)
})

test('a client may wait with Expect: 201-created', async () => {
  await using served = await serve(async ({ headers }) => new Response(headers.get('expect')), port)
  const asked = request(served.address, { method: 'POST', headers: { expect: '201-created' } }).end()
  const [response] = (await once(asked, 'response')) as [IncomingMessage]
  expect((await response.setEncoding('utf8').toArray()).join('')).toBe('201-created')
})

test('a handler is served on a unix socket too', async () => {
  const socketPath = join(tmpdir(), `lab-engine-${process.pid}.sock`)
  await using served = await serve(async () => new Response('from the socket'), { socket: socketPath })
  expect(served.address).toBe(socketPath)
  const [response] = (await once(request({ socketPath, path: '/' }).end(), 'response')) as [IncomingMessage]
  expect((await response.setEncoding('utf8').toArray()).join('')).toBe('from the socket')
})
