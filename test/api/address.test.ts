import { chmodSync, readFileSync } from 'node:fs'
import { get } from 'node:https'
import { execa } from 'execa'
import { expect, it } from 'vitest'
import { UsageError } from '../../src/model/errors.ts'
import { served } from './an-api.ts'
import { aCertificate } from './certificates.ts'

async function failure(promise: Promise<unknown>): Promise<UsageError> {
  return promise.then(
    () => expect.unreachable(),
    (error: UsageError) => error,
  )
}

function statusOver(url: string, ca: string, token?: string, host?: string): Promise<number> {
  const headers = { ...(token && { authorization: `Bearer ${token}` }), ...(host && { host }) }
  return new Promise((resolve, reject) => {
    // Without a server name it is the address that the certificate must fit, whatever the Host header says.
    get(url, { ca, headers, servername: '', agent: false }, (response) => {
      response.resume()
      resolve(response.statusCode ?? 0)
    }).on('error', reject)
  })
}

it.each(['0.0.0.0', '::', '192.0.2.1', 'api.example.com'])(
  'refuses to listen on %s without TLS',
  async (host) => {
    const error = await failure(served({ api: { listen: { host, port: 9736 } } }))
    expect(error).toBeInstanceOf(UsageError)
    expect(error.message).toContain('needs cert_file and key_file')
    expect(error.hint).toContain('127.0.0.1')
  },
)

it('speaks TLS where it is given a certificate, to whoever has a token', async () => {
  const files = await aCertificate()
  const { url, tokens } = await served({ api: { listen: { host: '0.0.0.0', port: 0 }, ...files } })
  const { port, protocol } = new URL(url)
  expect(protocol).toBe('https:')
  const ca = readFileSync(files.certFile, 'utf8')
  const status = `https://127.0.0.1:${port}/api/v1/status`
  expect(await statusOver(status, ca)).toBe(401)
  expect(await statusOver(status, ca, tokens.read)).toBe(200)
  expect(await statusOver(status, ca, tokens.read, 'dr.example.com')).toBe(200)
  await expect(fetch(`http://127.0.0.1:${port}/api/v1/health`)).rejects.toThrow()
})

it('refuses a key without a certificate, one of another certificate, and one that others may read', async () => {
  const [one, other] = [await aCertificate(), await aCertificate()]
  const listen = { host: '127.0.0.1', port: 0 }
  const wrong = [
    [{ keyFile: one.keyFile }, 'needs both'],
    [{ certFile: one.certFile, keyFile: other.keyFile }, 'cannot be used together'],
    [{ certFile: one.certFile, keyFile: one.certFile }, 'others than its owner'],
    [{ certFile: one.certFile, keyFile: `${one.keyFile}.nope` }, 'there is no such file'],
  ] as const
  chmodSync(one.certFile, 0o644)
  for (const [files, message] of wrong) {
    const error = await failure(served({ api: { listen, ...files } }))
    expect(error).toBeInstanceOf(UsageError)
    expect(error.message).toContain(message)
    expect(error.message).not.toContain('PRIVATE KEY')
  }
})

it('answers curl', async () => {
  const { url, tokens, socket, agent } = await served()
  const bearer = ['-H', `Authorization: Bearer ${tokens.operate}`]
  const curl = async (...args: string[]) =>
    JSON.parse((await execa('curl', ['-sS', ...args])).stdout) as unknown
  expect(await curl(...bearer, `${url}/api/v1/jobs/nightly`)).toMatchObject({
    name: 'nightly',
    state: 'waiting',
  })
  expect(await curl(...bearer, '-X', 'POST', `${url}/api/v1/jobs/nightly/start`)).toEqual({
    job: 'nightly',
    state: 'started',
  })
  // curl names the type of a form for a body of its own, also for an empty one.
  expect(await curl(...bearer, '-d', '', `${url}/api/v1/jobs/nightly/pause`)).toMatchObject({
    state: 'paused',
  })
  const policy = ['-H', 'content-type: application/json', '-d', '{"policy":"gold"}']
  expect(
    await curl('--unix-socket', socket, ...policy, 'http://localhost/api/v1/vms/web01/protect'),
  ).toMatchObject({ policy: 'gold' })
  expect(agent.vms().find(({ name }) => name === 'web01')?.policy).toBe('gold')
  expect(await curl(`${url}/api/v1/status`)).toMatchObject({ error: { message: 'a token is needed' } })
})
