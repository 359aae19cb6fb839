import { X509Certificate } from 'node:crypto'
import * as http from 'node:http'
import * as https from 'node:https'
import * as tls from 'node:tls'
import axios, { type AxiosError, type AxiosResponse } from 'axios'
import { UsageError } from '../model/errors.ts'
import { oneLine } from '../model/shown.ts'

/** What came back, whatever its status. */
export interface Answer {
  status: number
  isHtml: boolean
  text: string
  /** Where a redirect points to. */
  location?: string
}

/** No answer came. `code` is Node's code for it, or TIMEOUT, or TOO_LARGE. Holds neither password nor token. */
export class NoAnswer extends Error {
  readonly code: string

  constructor(code: string, message: string) {
    super(oneLine(message) || 'no answer')
    this.code = code
  }
}

export interface Request {
  method: 'GET' | 'POST' | 'DELETE'
  url: string
  headers: Record<string, string>
  body?: string
}

export interface TransportOptions {
  /** PEM text; the only authorities trusted when given, else the system's and Node's own. */
  ca?: string | undefined
  verifyTls: boolean
  /** For one request, from connecting to the last byte. */
  timeoutMs: number
  maxAnswerBytes?: number | undefined
}

export interface Transport {
  /** One request, one answer, no second try. Throws NoAnswer, or the signal's reason. */
  send(request: Request, signal: AbortSignal): Promise<Answer>
  close(): void
}

const maxAnswerBytes = 128 * 1024 * 1024

/** The one place that opens connections: no proxies, no redirects, bounded in time and size. Throws UsageError on a bad `ca`. */
export function createTransport(options: TransportOptions): Transport {
  const trust = { secureContext: trustOf(options.ca) }
  const verify = { rejectUnauthorized: options.verifyTls }
  const reading = new https.Agent({ ...trust, ...verify, keepAlive: true })
  // A kept connection may be closed by the server while an act is being written to it, and then nobody knows whether
  // the act was accepted: acts get a fresh one.
  const acting = new https.Agent({ ...trust, ...verify, keepAlive: false })
  const plain = new http.Agent({ keepAlive: false })
  const client = axios.create({
    adapter: 'http',
    proxy: false,
    maxRedirects: 0,
    maxContentLength: options.maxAnswerBytes ?? maxAnswerBytes,
    responseType: 'text',
    transformResponse: [(text: unknown) => text],
    validateStatus: () => true,
    httpAgent: plain,
  })

  return {
    async send(request, signal) {
      signal.throwIfAborted()
      const limit = AbortSignal.timeout(options.timeoutMs)
      try {
        const response = await client.request({
          method: request.method,
          url: request.url,
          headers: request.headers,
          ...(request.body === undefined ? {} : { data: request.body }),
          httpsAgent: request.method === 'GET' ? reading : acting,
          signal: AbortSignal.any([signal, limit]),
        })
        return answerOf(response)
      } catch (error) {
        signal.throwIfAborted()
        throw limit.aborted
          ? new NoAnswer('TIMEOUT', `no answer within ${Math.round(options.timeoutMs / 1000)} s`)
          : noAnswer(error)
      }
    },
    close() {
      for (const agent of [reading, acting, plain]) agent.destroy()
    },
  }
}

function answerOf({ status, headers, data }: AxiosResponse<unknown>): Answer {
  const location: unknown = headers['location']
  return {
    status,
    isHtml: /^\s*(text\/html|application\/xhtml)/i.test(String(headers['content-type'] ?? '')),
    text: typeof data === 'string' ? data : '',
    ...(typeof location === 'string' ? { location } : {}),
  }
}

// An axios error carries the whole request, password and token included, so only its words and code go on.
function noAnswer(error: unknown): NoAnswer {
  const { message, code, cause } = error as AxiosError
  const inner = cause as NodeJS.ErrnoException | undefined
  if (/maxContentLength/.test(message)) return new NoAnswer('TOO_LARGE', 'the answer is larger than allowed')
  return new NoAnswer(inner?.code ?? code ?? 'UNKNOWN', inner?.message || message)
}

function trustOf(pem: string | undefined): tls.SecureContext {
  if (pem !== undefined && pem.trim() !== '') return tls.createSecureContext({ ca: authoritiesIn(pem) })
  // Node by itself trusts only the list it was built with, not what the site has installed.
  const known = () => [...new Set([...tls.getCACertificates('default'), ...tls.getCACertificates('system')])]
  systemTrust ??= tls.createSecureContext({ ca: known() })
  return systemTrust
}

let systemTrust: tls.SecureContext | undefined

function authoritiesIn(pem: string): string[] {
  const found = pem.match(/-----BEGIN (TRUSTED )?CERTIFICATE-----[^-]+-----END \1CERTIFICATE-----/g) ?? []
  try {
    for (const certificate of found) new X509Certificate(certificate)
  } catch (cause) {
    throw new UsageError('a certificate in ca_file cannot be read', { cause, hint: caHint })
  }
  if (found.length === 0) throw new UsageError('ca_file holds no certificate in PEM form', { hint: caHint })
  return found
}

const caHint = "ca_file must be the engine's CA in PEM form, starting with -----BEGIN CERTIFICATE-----"
