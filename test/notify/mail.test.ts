import { writeFileSync } from 'node:fs'
import * as net from 'node:net'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { Config } from '../../src/config/keys.ts'
import { Secret } from '../../src/config/secret.ts'
import { NotSent } from '../../src/notify/channel.ts'
import { compose, type Message } from '../../src/notify/compose.ts'
import type { Letter } from '../../src/notify/letter.ts'
import { createMail } from '../../src/notify/mail.ts'
import { aFolder } from '../run/a-folder.ts'
import { aCertificate, aMailServer, answer } from './a-mail-server.ts'
import { anAlert } from './an-alert.ts'

const receiver = { route: 'ops', channel: 'mail', to: 'ops@example.com' } as const
const noSignal = new AbortController().signal

function mailWith(changes: Partial<Config['mail']>): Config['mail'] {
  return {
    server: undefined,
    tls: 'none',
    caFile: undefined,
    from: 'agent@example.com',
    userName: undefined,
    password: undefined,
    passwordFile: undefined,
    ...changes,
  }
}

function aMessage(changes: Partial<Letter> = {}): Message {
  const parts = [{ seq: 1, letter: { ...anAlert(), ...changes }, takenAt: 0, refusals: 0 }]
  const [message] = compose('mail ops ops@example.com', parts, [], 1).messages
  if (message === undefined) throw new Error('no message')
  return message
}

async function send(
  changes: Partial<Config['mail']>,
  message = aMessage(),
  patienceMs = 10_000,
): Promise<NotSent | undefined> {
  try {
    const channel = createMail(mailWith(changes), { connectMs: patienceMs, silenceMs: patienceMs })
    await channel(message, receiver, noSignal)
    return undefined
  } catch (error) {
    if (error instanceof NotSent) return error
    throw error
  }
}

describe('a mail', () => {
  test('says OK of an all-clear, however grave what it ends was', async () => {
    const { endpoint: server, received } = await aMailServer()
    const clear = { kind: 'run protected', severity: 'alert', title: '6 of 6 VMs protected' } as const
    await send({ server }, aMessage(clear))
    await send({ server }, aMessage({ ...clear, kind: 'run not protected', title: 'torn' }))
    expect(received.map(({ text }) => /^Subject: (.*)$/m.exec(text)?.[1])).toEqual([
      '[vmbackup] OK: 6 of 6 VMs protected',
      '[vmbackup] ALERT: torn',
    ])
  })

  test('says in its subject what happened, and belongs to the others of its matter', async () => {
    const { endpoint: server, received } = await aMailServer()
    const about = {
      matter: 'rpo web',
      job: 'data',
      vm: 'web',
      title: 'web is behind: Überfall',
      text: 'Since noon.',
    }
    const [first, second] = [aMessage(about), aMessage({ ...about, severity: 'normal', title: 'in time' })]
    await send({ server }, first)
    await send({ server }, second)
    const [one, other] = received
    expect(one).toMatchObject({ from: 'agent@example.com', to: ['ops@example.com'], secure: false })
    expect(one?.text).toContain('To: ops@example.com\n')
    expect(one?.text).toContain('Subject: =?UTF-8?Q?=5Bvmbackup=5D_ALERT=3A_web_is_behind=3A?=')
    expect(one?.text).toContain('Auto-Submitted: auto-generated\n')
    expect(one?.text).toContain('X-Vmbackup-Matter: rpo web\n')
    expect(one?.text).toMatch(/Since noon\.\n\nWhen: 2026-11-21 11:59:00 UTC\nJob: {2}data\nVM: {3}web\n/)
    expect(other?.text).toContain('Subject: [vmbackup] in time\n')
    const header = (name: string, text = '') => new RegExp(`^${name}: (.*)$`, 'm').exec(text)?.[1]
    expect(header('References', one?.text)).toMatch(/^<vmbackup\.matter\.[0-9a-f]{32}@example\.com>$/)
    expect(header('References', other?.text)).toBe(header('References', one?.text))
    expect(header('In-Reply-To', other?.text)).toBe(header('References', one?.text))
    expect(header('Message-ID', one?.text)).toBe(`<vmbackup.${first.id}@example.com>`)
    expect(header('Message-ID', other?.text)).toBe(`<vmbackup.${second.id}@example.com>`)
  })

  test('goes encrypted, signed on with a password that is read anew each time', async () => {
    const folder = aFolder()
    const tls = aCertificate(folder)
    const passwordFile = join(folder, 'password')
    const users = { agent: 'secret' }
    const { endpoint: server, received } = await aMailServer({ tls, users })
    const mail = { server, tls: 'starttls', caFile: tls.cert, userName: 'agent', passwordFile } as const
    writeFileSync(passwordFile, 'outdated\n')
    const refused = await send(mail)
    expect(refused).toMatchObject({ certain: true, hint: 'check user_name and password_file in [mail]' })
    expect(refused?.message).not.toContain('outdated')
    writeFileSync(passwordFile, 'secret\n')
    expect(await send(mail)).toBeUndefined()
    expect(received).toMatchObject([{ user: 'agent', secure: true }])
  })

  test('goes over TLS from the start where that is set', async () => {
    const tls = aCertificate(aFolder())
    const { endpoint: server, received } = await aMailServer({ tls, secure: true })
    expect(await send({ server, tls: 'tls', caFile: tls.cert })).toBeUndefined()
    expect(received).toMatchObject([{ secure: true }])
  })

  test('is not sent where the certificate is of a stranger', async () => {
    const folder = aFolder()
    const server = await aMailServer({ tls: aCertificate(folder) })
    const caFile = aCertificate(folder, 'other').cert
    for (const changes of [{ caFile }, {}]) {
      const error = await send({ server: server.endpoint, tls: 'starttls', ...changes })
      expect(error).toMatchObject({ certain: true, hint: expect.stringContaining('set ca_file in [mail]') })
    }
    expect(server.received).toEqual([])
  })

  test('is not sent in plain text where the server, or who stands before it, offers no encryption', async () => {
    const { endpoint: server, received } = await aMailServer()
    const error = await send({ server, tls: 'starttls' })
    expect(error).toMatchObject({ certain: true, hint: expect.stringContaining('offers no STARTTLS') })
    expect(received).toEqual([])
  })

  test('is not sent without the sign-on that is configured', async () => {
    const { endpoint: server, received } = await aMailServer()
    const error = await send({ server, userName: 'agent', password: new Secret('secret') })
    expect(error).toMatchObject({ certain: true })
    expect(received).toEqual([])
  })

  test.each([
    [451, 'greylisted, come again', 'rcpt'],
    [550, 'no such user', 'rcpt'],
    [452, 'no space left', 'data'],
    [554, 'looks like spam', 'data'],
  ] as const)('that is refused with %i (%s) has surely not arrived', async (code, words, at) => {
    const { endpoint: server, received } = await aMailServer({ refuse: { [at]: answer(code, words) } })
    const error = await send({ server })
    expect(error).toMatchObject({ certain: true, answered: true, final: false })
    expect(error?.message).toContain(`${code} ${words}`)
    expect(error?.message).toMatch(`could not send mail to ops@example.com by 127.0.0.1:${server.port}`)
    expect(received).toEqual([])
  })

  test('to a server that is down has surely not arrived, and goes when it is back', async () => {
    const { endpoint: server, close } = await aMailServer()
    await close()
    expect(await send({ server })).toMatchObject({
      certain: true,
      answered: false,
      hint: expect.stringContaining('nothing listens'),
    })
    const again = await aMailServer({ port: server.port })
    expect(await send({ server })).toBeUndefined()
    expect(again.received).toHaveLength(1)
  })

  test('to a server that says nothing more may have arrived', async () => {
    const { endpoint: server } = await aMailServer({ onData: (stream) => void stream.resume() })
    expect(await send({ server }, aMessage(), 300)).toMatchObject({ certain: false, answered: false })
  })

  test('to something that takes the connection and is silent is given up', async () => {
    const silent = net.createServer((socket) => socket.on('error', () => socket.destroy()).resume())
    await new Promise<void>((done) => silent.listen(0, '127.0.0.1', done))
    onTestFinished(() => void silent.close())
    const { port } = silent.address() as net.AddressInfo
    expect(await send({ server: { host: '127.0.0.1', port } }, aMessage(), 300)).toMatchObject({
      answered: false,
    })
  })

  test.each<[string, (folder: string) => Partial<Config['mail']>, string]>([
    ['no server', () => ({ server: undefined }), 'no mail server is set'],
    [
      'a password file that is away',
      (folder) => ({ userName: 'a', passwordFile: join(folder, 'none') }),
      'no such file',
    ],
    ['a ca_file that is none', (folder) => ({ tls: 'tls', caFile: fileIn(folder) }), 'holds no certificate'],
  ])('with %s is not tried, and it is said what is missing', async (_what, changes, words) => {
    const error = await send({ server: { host: '127.0.0.1', port: 1 }, ...changes(aFolder()) })
    expect(error).toMatchObject({ certain: true })
    expect(error?.message).toContain(words)
  })
})

function fileIn(folder: string): string {
  writeFileSync(join(folder, 'ca.pem'), 'hello')
  return join(folder, 'ca.pem')
}
