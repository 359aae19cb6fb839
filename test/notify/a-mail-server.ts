import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'
import { onTestFinished } from 'vitest'

interface Received {
  from: string
  to: string[]
  /** With its headers unfolded. */
  text: string
  user: string | undefined
  secure: boolean
}

/** Makes a key and a certificate for 127.0.0.1, signed by itself; gives the paths. */
export function aCertificate(folder: string, name = 'mail'): { key: string; cert: string } {
  const [key, cert] = [join(folder, `${name}.key`), join(folder, `${name}.pem`)]
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  const made = ['-keyout', key, '-out', cert, '-days', '2', '-subj', `/CN=${name}`]
  execFileSync('openssl', ['req', '-x509', ...curve, ...made, '-addext', 'subjectAltName=IP:127.0.0.1'], {
    stdio: 'pipe',
  })
  return { key, cert }
}

/** A real SMTP server on loopback that keeps what it accepts; `refuse` may throw an error with a responseCode. */
export async function aMailServer(
  options: SMTPServerOptions & {
    tls?: { key: string; cert: string }
    users?: Record<string, string>
    refuse?: { rcpt?: () => void; data?: () => void }
    port?: number
  } = {},
) {
  const { tls, users, refuse, port = 0, ...more } = options
  const received: Received[] = []
  const server = new SMTPServer({
    authOptional: users === undefined,
    disableReverseLookup: true,
    logger: false,
    disabledCommands: [...(tls === undefined ? ['STARTTLS'] : []), ...(users === undefined ? ['AUTH'] : [])],
    ...(tls === undefined ? {} : { key: readFileSync(tls.key), cert: readFileSync(tls.cert) }),
    onAuth({ username = '', password }, _session, done) {
      if (users?.[username] === password) done(null, { user: username })
      else done(new Error('wrong user or password'))
    },
    onRcptTo(_address, _session, done) {
      done(errorOf(refuse?.rcpt))
    },
    onData(stream, session, done) {
      const chunks: Buffer[] = []
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.on('end', () => {
        const error = errorOf(refuse?.data)
        if (error === null) {
          const { mailFrom, rcptTo } = session.envelope
          received.push({
            from: mailFrom === false ? '' : mailFrom.address,
            to: rcptTo.map(({ address }) => address),
            text: Buffer.concat(chunks)
              .toString('utf8')
              .replace(/\r\n[ \t]+/g, ' ')
              .replaceAll('\r\n', '\n'),
            user: session.user as string | undefined,
            secure: session.secure,
          })
        }
        done(error)
      })
    },
    ...more,
  })
  server.on('error', () => undefined)
  await new Promise<void>((done) => server.listen(port, '127.0.0.1', () => done()))
  const close = () => new Promise<void>((done) => server.close(() => done()))
  onTestFinished(close)
  const address = server.server.address()
  return {
    received,
    close,
    endpoint: { host: '127.0.0.1', port: typeof address === 'object' ? (address?.port ?? 0) : 0 },
  }
}

/** An answer of the server. */
export function answer(responseCode: number, message: string): () => void {
  return () => {
    throw Object.assign(new Error(message), { responseCode })
  }
}

function errorOf(act: (() => void) | undefined): Error | null {
  try {
    act?.()
    return null
  } catch (error) {
    return error as Error
  }
}
