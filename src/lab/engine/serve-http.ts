import {
  createServer as createHttp,
  type IncomingMessage,
  type RequestListener,
  type ServerResponse,
} from 'node:http'
import { createServer as createHttps } from 'node:https'
import type { AddressInfo } from 'node:net'

export type FetchHandler = (request: Request) => Promise<Response>

export type ServeOptions =
  | { host: string; port: number; tls?: { key: string | Buffer; cert: string | Buffer } }
  | { socket: string }

/** A listening server; disposing of it ends its connections. */
export interface Served extends AsyncDisposable {
  /** `https://host:port`, or the socket's path. */
  readonly address: string
}

const maxBodyBytes = 16 * 1024 * 1024

/** Serves a fetch-shaped handler on a port or a unix socket; an error response (`Response.error()`) drops the connection. */
export async function serve(handler: FetchHandler, options: ServeOptions): Promise<Served> {
  const secure = 'port' in options && options.tls !== undefined
  const answer: RequestListener = (incoming, outgoing) => void exchange(handler, incoming, outgoing, secure)
  const server = 'port' in options && options.tls ? createHttps(options.tls, answer) : createHttp(answer)
  // Node refuses any Expect but 100-continue by itself; the engine takes `201-created`.
  server.on('checkExpectation', answer)
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    if ('socket' in options) server.listen(options.socket, resolve)
    else server.listen(options.port, options.host, resolve)
  })
  return {
    address:
      'socket' in options
        ? options.socket
        : urlOf(options.host, (server.address() as AddressInfo).port, secure),
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function urlOf(host: string, port: number, secure: boolean): string {
  return `${secure ? 'https' : 'http'}://${host.includes(':') ? `[${host}]` : host}:${port}`
}

async function exchange(
  handler: FetchHandler,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  secure: boolean,
): Promise<void> {
  try {
    const body = await bodyOf(incoming)
    if (body === undefined) {
      outgoing.writeHead(413, { connection: 'close' }).end()
      return
    }
    const response = await handler(requestOf(incoming, body, secure))
    if (response.type === 'error') {
      incoming.socket.destroy()
      return
    }
    await send(response, outgoing, incoming.method === 'HEAD')
  } catch {
    incoming.socket.destroy()
  }
}

async function bodyOf(incoming: IncomingMessage): Promise<Buffer<ArrayBuffer> | undefined> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    length += chunk.length
    if (length > maxBodyBytes) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function requestOf(incoming: IncomingMessage, body: Buffer<ArrayBuffer>, secure: boolean): Request {
  const method = incoming.method ?? 'GET'
  const host = incoming.headers.host ?? 'localhost'
  const headers = new Headers()
  for (const [name, value] of Object.entries(incoming.headersDistinct))
    headers.set(name, value?.join(', ') ?? '')
  return new Request(new URL(incoming.url ?? '/', `${secure ? 'https' : 'http'}://${host}`), {
    method,
    headers,
    ...(method === 'GET' || method === 'HEAD' || body.length === 0 ? {} : { body }),
  })
}

async function send(response: Response, outgoing: ServerResponse, headOnly: boolean): Promise<void> {
  const body = Buffer.from(await response.arrayBuffer())
  const cookies = response.headers.getSetCookie()
  for (const [name, value] of response.headers) if (name !== 'set-cookie') outgoing.setHeader(name, value)
  if (cookies.length > 0) outgoing.setHeader('set-cookie', cookies)
  outgoing.setHeader('content-length', body.length)
  outgoing.writeHead(response.status)
  outgoing.end(headOnly ? undefined : body)
}
