import type { ServerOptions } from 'node:https'
import { createSecureContext } from 'node:tls'
import { type Endpoint, isLoopback } from '../config/agent-kinds.ts'
import { readText } from '../config/files.ts'
import { permissionWarnings } from '../config/password.ts'
import { Failure, UsageError } from '../model/errors.ts'
import type { App } from './app.ts'

/**
 * Certificate and key for an address; undefined for loopback without them. Throws UsageError when they are missing for an address that
 * other machines reach, cannot be read, do not belong together, or others may read the key.
 */
export async function tlsFor(
  { host }: Endpoint,
  { certFile, keyFile }: { certFile?: string | undefined; keyFile?: string | undefined },
): Promise<ServerOptions | undefined> {
  if (certFile === undefined && keyFile === undefined && isLoopback(host)) return undefined
  if (certFile === undefined || keyFile === undefined) {
    const one = certFile === undefined && keyFile === undefined ? 'needs' : 'needs both'
    throw new UsageError(`[api] listen = ${host} ${one} cert_file and key_file`, {
      hint: 'without TLS only 127.0.0.1, [::1] and localhost may be listened on: tokens would be readable on the way',
    })
  }
  const { text: cert } = await readText(certFile, '[api] cert_file', 2 ** 20)
  const { text: key, mode } = await readText(keyFile, '[api] key_file', 2 ** 20)
  const [open] = permissionWarnings('[api] key_file', keyFile, mode)
  if (open !== undefined) throw new UsageError(open)
  try {
    createSecureContext({ cert, key })
  } catch (cause) {
    throw new UsageError(`[api] cert_file ${certFile} and key_file ${keyFile} cannot be used together`, {
      cause,
      hint: 'both must be PEM, the key without a passphrase, and the certificate the one of this key',
    })
  }
  return { cert, key, minVersion: 'TLSv1.2' }
}

/** Listens there, and gives the URL. Throws Failure when that cannot be done. */
export async function listenAt(app: App, { host, port }: Endpoint): Promise<string> {
  try {
    return await app.listen({ host, port })
  } catch (cause) {
    throw new Failure(`cannot listen on ${host}, port ${port}`, {
      cause,
      hint: 'set [api] listen to an address of this machine, and to a port that nobody else has',
    })
  }
}
