import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import * as https from 'node:https'
import * as net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { hintOf, UsageError } from '../../src/model/errors.ts'
import { createEngine } from '../../src/ovirt/engine.ts'
import { config, noSignal } from './fake-engine.ts'

const dir = mkdtempSync(join(tmpdir(), 'vmbackup-tls-'))
const open: net.Server[] = []

/** Makes a key and a certificate for the host, signed by `ca` or by itself. */
function certificate(name: string, host: string, ca = name, days = '2'): void {
  const at = (file: string) => join(dir, file)
  const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: 'pipe' })
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  const request = ['-keyout', at(`${name}.key`), '-out', at(`${name}.csr`), '-subj', `/CN=${name}`]
  openssl('req', '-new', ...curve, ...request)
  writeFileSync(
    at('extensions'),
    host === '' ? 'basicConstraints=critical,CA:TRUE' : `subjectAltName=${host}`,
  )
  const signer =
    ca === name ? ['-signkey', at(`${name}.key`)] : ['-CA', at(`${ca}.pem`), '-CAkey', at(`${ca}.key`)]
  const serial = ca === name ? [] : ['-CAcreateserial']
  const files = ['-in', at(`${name}.csr`), '-out', at(`${name}.pem`), '-extfile', at('extensions')]
  openssl('x509', '-req', ...files, ...signer, ...serial, '-days', days)
}

const pem = (name: string) => readFileSync(join(dir, `${name}.pem`), 'utf8')

beforeAll(() => {
  certificate('ca', '')
  certificate('engine', 'IP:127.0.0.1', 'ca')
  certificate('stranger', 'DNS:elsewhere.test', 'ca')
  certificate('expired', 'IP:127.0.0.1', 'ca', '-1')
  certificate('lonely', 'IP:127.0.0.1')
  writeFileSync(join(dir, 'broken.pem'), '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n')
})

afterEach(async () => {
  for (const server of open.splice(0)) {
    if (server instanceof https.Server) server.closeAllConnections()
    await new Promise((done) => server.close(done))
  }
})

afterAll(() => rmSync(dir, { recursive: true }))

async function listening(server: net.Server): Promise<string> {
  open.push(server)
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  return `127.0.0.1:${(server.address() as net.AddressInfo).port}`
}

/** An engine that signs everyone on and says what it is. */
function engineWith(certificateName: string): Promise<string> {
  const product = { product_info: { name: 'oVirt Engine', version: { major: '4', minor: '5', build: '6' } } }
  const server = https.createServer(
    { key: readFileSync(join(dir, `${certificateName}.key`)), cert: pem(certificateName) },
    (request, response) => {
      const body = request.url?.includes('/sso/') ? { access_token: 'token' } : product
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify(body))
    },
  )
  return listening(server)
}

async function failure(about: Promise<string>): Promise<{ message: string; hint: string | undefined }> {
  return about.then(
    (answer) => ({ message: `answered ${answer}`, hint: undefined }),
    (error: unknown) => ({ message: String(error), hint: hintOf(error) }),
  )
}

async function about(host: string, changes: Parameters<typeof config>[0]): Promise<string> {
  const engine = createEngine(config({ server: `https://${host}`, ...changes }))
  try {
    return await engine.about(noSignal)
  } finally {
    await engine.close()
  }
}

describe('an act', () => {
  it('is repeated while nothing listens at the engine, since nothing of it can have arrived', async () => {
    const host = await engineWith('engine')
    const [server] = open
    const port = Number(host.split(':')[1])
    let waits = 0
    const engine = createEngine(
      config({
        server: `https://${host}`,
        ca: pem('ca'),
        sleep: async () => {
          waits += 1
          if (waits === 2) await new Promise<void>((done) => server?.listen(port, '127.0.0.1', done))
        },
      }),
    )
    await engine.about(noSignal)
    if (server instanceof https.Server) server.closeAllConnections()
    await new Promise((done) => server?.close(done))
    await engine.freeze({ id: 'vm1', name: 'web' }, noSignal)
    expect(waits).toBe(2)
    await engine.close()
  })
})

describe('a connection to the engine', () => {
  it('is made when the CA given has signed the certificate', async () => {
    await expect(about(await engineWith('engine'), { ca: pem('ca') })).resolves.toBe('oVirt Engine 4.5.6')
  })

  it.each([
    ['lonely', 'by itself'],
    ['engine', 'by an unknown CA'],
  ])('is refused when the certificate (%s) is signed %s, with the way to get the CA', async (name) => {
    const host = await engineWith(name)
    const { message, hint } = await failure(about(host, {}))
    expect(message).toMatch(`could not sign on as admin@internal at https://${host}`)
    expect(hint).toMatch(`'https://${host}/ovirt-engine/services/pki-resource?resource=ca-certificate`)
    expect(hint).toMatch('set ca_file')
  })

  it('is refused when another CA than the one given has signed', async () => {
    const { hint } = await failure(about(await engineWith('engine'), { ca: pem('lonely') }))
    expect(hint).toMatch('set ca_file')
  })

  it('is refused when the certificate has expired', async () => {
    const { message, hint } = await failure(about(await engineWith('expired'), { ca: pem('ca') }))
    expect(message).toMatch('expired')
    expect(hint).toMatch('renew it')
  })

  it('is refused when the certificate is for another name', async () => {
    const { hint } = await failure(about(await engineWith('stranger'), { ca: pem('ca') }))
    expect(hint).toMatch('the name that stands in the certificate')
  })

  it('is made unverified only where that was asked for, and then a finding says so', async () => {
    const host = await engineWith('lonely')
    const engine = createEngine(config({ server: `https://${host}`, verifyTls: false }))
    const findings = await engine.findings(noSignal)
    await engine.close()
    expect(findings.map(({ severity, what }) => [severity, what])).toEqual([
      [
        'warning',
        'the certificate is not verified: whoever answers in place of the engine gets the password',
      ],
    ])
  })

  it('tells at once that nothing listens', async () => {
    const server = net.createServer()
    const host = await listening(server)
    await new Promise((done) => server.close(done))
    open.length = 0
    const { message, hint } = await failure(about(host, {}))
    expect(message).toMatch('ECONNREFUSED')
    expect(hint).toMatch('nothing listens there')
  })

  it('tells that a port does not speak TLS', async () => {
    const host = await listening(
      net.createServer((socket) =>
        socket
          .on('error', () => socket.destroy())
          .resume()
          .end('HTTP/1.1 400 Bad Request\r\n\r\n'),
      ),
    )
    expect((await failure(about(host, {}))).hint).toMatch('speak TLS on this port')
  })

  it('tells that a name is unknown', async () => {
    const { hint } = await failure(about('engine.invalid', {}))
    expect(hint).toMatch('the name engine.invalid cannot be resolved')
  })

  it('ends when an engine accepts and says nothing', async () => {
    const host = await listening(
      net.createServer((socket) => socket.on('error', () => socket.destroy()).resume()),
    )
    const { message, hint } = await failure(about(host, { timeoutMs: 50 }))
    expect(message).toMatch('no answer within')
    expect(hint).toMatch('firewall')
  })

  it('takes no proxy from the environment', async () => {
    const host = await engineWith('engine')
    const before = process.env['HTTPS_PROXY']
    process.env['HTTPS_PROXY'] = 'http://127.0.0.1:1'
    try {
      await expect(about(host, { ca: pem('ca') })).resolves.toBe('oVirt Engine 4.5.6')
    } finally {
      if (before === undefined) delete process.env['HTTPS_PROXY']
      else process.env['HTTPS_PROXY'] = before
    }
  })
})

describe('a CA file', () => {
  it.each([
    ['no certificate', () => 'hello', 'holds no certificate'],
    ['a damaged certificate', () => pem('broken'), 'cannot be read'],
  ])('with %s is refused before anything is sent', (_name, text, why) => {
    expect(() => createEngine(config({ ca: text() }))).toThrow(UsageError)
    expect(() => createEngine(config({ ca: text() }))).toThrow(why)
  })
})
