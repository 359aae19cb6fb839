import { isIP } from 'node:net'
import { UsageError } from '../model/errors.ts'
import { oneLine } from '../model/shown.ts'

/** Where the parts of one engine are; none ends in a slash. */
export interface EngineAddress {
  /** The engine as people write it, e.g. `https://engine.example.com`. */
  origin: string
  api: string
  signOn: string
  signOff: string
  /** False when passwords would travel in clear text. */
  encrypted: boolean
}

const hint = 'write it as https://engine.example.com/ovirt-engine/api'
const knownPath = /^(\/ovirt-engine(\/api(\/v4)?)?)?\/*$/

/**
 * Reads `[connection] server`: `https://HOST[:PORT]`, with or without `/ovirt-engine/api`. Plain http is taken only on
 * a loopback address or where TLS verification was turned off by name. Throws UsageError.
 */
export function addressOf(server: string, verifyTls: boolean): EngineAddress {
  // URL.canParse says yes to a host of 16 KiB with capitals, which the constructor then throws at (Node 24).
  const url = URL.parse(server)
  if (url === null || !['https:', 'http:'].includes(url.protocol) || url.hostname === '') {
    throw new UsageError(`the engine's address${told(server)} is not a web address`, { hint })
  }
  if (url.username !== '' || url.password !== '') {
    throw new UsageError(`the engine's address on ${oneLine(url.host, 100)} holds a user or password`, {
      hint: 'set user_name and the password by their own keys, not inside server',
    })
  }
  if (!knownPath.test(url.pathname) || url.search !== '' || url.hash !== '') {
    throw new UsageError(`the engine's address${told(server)} does not end in /ovirt-engine/api`, { hint })
  }
  const encrypted = url.protocol === 'https:'
  if (!encrypted && verifyTls && !isLoopback(url.hostname)) {
    throw new UsageError(`the engine's address${told(server)} would send the password in clear text`, {
      hint,
    })
  }
  const base = `${url.origin}/ovirt-engine`
  return {
    origin: url.origin,
    api: `${base}/api`,
    signOn: `${base}/sso/oauth/token`,
    signOff: `${base}/services/sso-logout`,
    encrypted,
  }
}

/** What has an @ may hold a password, also where it is no address for another reason. */
function told(server: string): string {
  return server.includes('@') ? '' : ` ${oneLine(server, 200)}`.trimEnd()
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || (isIP(host) === 4 && host.startsWith('127.'))
}
