import type { FastifyRequest, onRequestAsyncHookHandler } from 'fastify'
import { isLoopback } from '../config/agent-kinds.ts'
import { TurnedAway } from './faults.ts'
import type { Right, Token } from './tokens.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What a request must be allowed to do. Without one: operate. */
    right?: Right | 'none' | 'metrics'
  }
  interface FastifyRequest {
    /** Whose request it is, for the log: the name of a token. */
    who?: string
  }
}

/** By which way a request comes in. */
export type Door =
  /** Whoever may open the socket may do everything. */
  | { kind: 'socket' }
  | {
      kind: 'address'
      /** No other machine gets there; but a browser on this one does. */
      loopback: boolean
      openMetrics: boolean
      whose(token: string): Token | undefined
    }

/** Lets in who may do what the route does; turns all others away before anything of the body is read. */
export function guard(door: Door): onRequestAsyncHookHandler {
  return async (request) => {
    if (door.kind === 'socket') {
      request.who = 'socket'
      return
    }
    if (door.loopback) checkHost(request.headers.host)
    // Answered as such: what there is stands in the document.
    if (request.is404) return
    const { right = 'operate' } = request.routeOptions.config
    if (right === 'none' || (right === 'metrics' && door.openMetrics)) return
    const token = tokenOf(request, door.whose)
    request.who = token.name
    if (right === 'operate') checkOperates(token)
  }
}

function checkOperates({ name, right }: Token): void {
  if (right === 'operate') return
  throw new TurnedAway(403, `the token ${name} may read only`, {
    hint: 'use a token that may operate; vmbackup token makes one',
    headers: { 'www-authenticate': 'Bearer realm="vmbackup", error="insufficient_scope"' },
  })
}

function tokenOf(request: FastifyRequest, whose: (token: string) => Token | undefined): Token {
  const { authorization } = request.headers
  if (authorization === undefined) throw unauthorized('a token is needed', '')
  const [, text] = /^Bearer +(vmb_[A-Za-z0-9_-]{43})$/i.exec(authorization) ?? []
  const token = text === undefined ? undefined : whose(text)
  if (token === undefined) throw unauthorized('there is no such token', ', error="invalid_token"')
  return token
}

function unauthorized(message: string, more: string): TurnedAway {
  return new TurnedAway(401, message, {
    hint: 'send Authorization: Bearer and a token; vmbackup token makes one',
    headers: { 'www-authenticate': `Bearer realm="vmbackup"${more}` },
  })
}

// A page in a browser of this machine may give its own name our address, and is then let through to us by the browser; but the name
// stays in the header (DNS rebinding).
function checkHost(header: string | undefined): void {
  const [, bracketed, plain] = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9.-]+))(?::\d+)?$/i.exec(header ?? '') ?? []
  if (isLoopback((bracketed ?? plain ?? '').toLowerCase())) return
  throw new TurnedAway(421, 'this address is for requests to localhost only', {
    hint: 'ask by localhost or 127.0.0.1; a proxy in between must set the Host header so',
  })
}
