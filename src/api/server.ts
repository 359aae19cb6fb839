import { z } from 'zod'
import type { Agent } from '../agent/agent.ts'
import { type Endpoint, isLoopback } from '../config/agent-kinds.ts'
import { Unknown } from '../model/errors.ts'
import { addActs } from './acts.ts'
import { listenAt, tlsFor } from './address.ts'
import { type App, makeApp } from './app.ts'
import { documented } from './document.ts'
import { addEvents } from './events.ts'
import { TurnedAway } from './faults.ts'
import { openFeed } from './feed.ts'
import type { Door } from './guard.ts'
import { addQuestions } from './questions.ts'
import { HealthView, RootView } from './shapes.ts'
import { listenOnSocket } from './socket.ts'
import { whoseToken } from './tokens.ts'

export interface ApiOptions {
  /** `[api]` of the configuration. */
  api: {
    socket: string
    listen?: Endpoint | undefined
    certFile?: string | undefined
    keyFile?: string | undefined
    openMetrics: boolean
  }
  /** Where the tokens are kept. */
  stateDir: string
  version: string
  /** False when the agent's loop hangs. */
  isAlive(): boolean
  metrics?(): Promise<{ contentType: string; text: string }>
  /** Told what the server did wrong, for the log. */
  onError(error: unknown): void
  /** Told of every request to act, for the log: whose token, or `socket`. */
  onAct?(act: { who: string; path: string; status: number }): void
  limits?: Partial<typeof usualLimits>
}

const usualLimits = {
  heartbeatMs: 15_000,
  stallMs: 30_000,
  mostListeners: 64,
  mostWaiting: 4 * 2 ** 20,
  graceMs: 2_000,
}

/**
 * Serves the API on the unix socket and, if one is set, on an address, until it is disposed: what
 * has not been answered then gets two seconds. `url` is
 * that of the address. Throws UsageError for an address without the TLS that it needs, Refused when the socket is in use.
 */
export async function serveApi(
  agent: Agent,
  options: ApiOptions,
): Promise<AsyncDisposable & { url?: string }> {
  const { api, stateDir } = options
  const limits = { ...usualLimits, ...options.limits }
  const tls = api.listen && (await tlsFor(api.listen, api))
  await using opened = new AsyncDisposableStack()
  const feed = opened.use(openFeed(agent, limits))
  const open = async (door: Door, its: typeof tls) => {
    const { version, onError } = options
    const { heartbeatMs, stallMs } = limits
    const app = await makeApp({ version, door, tls: its, heartbeatMs, onError })
    opened.defer(() => close(app, limits.graceMs))
    app.addHook('preClose', async () => feed[Symbol.dispose]())
    addRoutes(app, agent, options)
    addEvents(app, agent, feed, stallMs)
    await app.ready()
    return app
  }
  await listenOnSocket((await open({ kind: 'socket' }, undefined)).server, api.socket)
  if (api.listen === undefined) return kept(opened)
  const whose = (token: string) => whoseToken(stateDir, token)
  const { openMetrics, listen } = api
  const loopback = isLoopback(listen.host)
  const app = await open({ kind: 'address', loopback, openMetrics, whose }, tls)
  const url = await listenAt(app, listen)
  return { ...kept(opened), url }
}

async function close(app: App, graceMs: number): Promise<void> {
  const timer = setTimeout(() => app.server.closeAllConnections(), graceMs)
  try {
    await app.close()
  } finally {
    clearTimeout(timer)
  }
}

function kept(opened: AsyncDisposableStack): AsyncDisposable {
  const held = opened.move()
  return { [Symbol.asyncDispose]: () => held.disposeAsync() }
}

function addRoutes(app: App, agent: Agent, { isAlive, metrics, onAct }: ApiOptions): void {
  app.addHook('onResponse', async ({ method, url, who = 'nobody' }, { statusCode }) => {
    if (method !== 'GET') onAct?.({ who, path: url, status: statusCode })
  })
  app.route({
    method: 'GET',
    url: '/',
    config: { right: 'none' },
    schema: documented('none', {
      operationId: 'getRoot',
      tags: ['agent'],
      summary: 'Where the API is',
      answer: RootView,
    }),
    handler: async () => ({ name: 'vmbackup', api: '/api/v1', document: '/api/v1/openapi.json' }),
  })
  app.route({
    method: 'GET',
    url: '/api/v1/health',
    config: { right: 'none' },
    schema: documented('none', {
      operationId: 'getHealth',
      tags: ['agent'],
      summary: 'Whether the agent is at work',
      answer: HealthView,
    }),
    handler: async () => {
      if (isAlive()) return { status: 'ok' }
      throw new TurnedAway(503, 'the agent hangs', { hint: 'its log says since when; restart it' })
    },
  })
  app.route({
    method: 'GET',
    url: '/api/v1/openapi.json',
    config: { right: 'read' },
    schema: documented('read', {
      operationId: 'getDocument',
      tags: ['agent'],
      summary: 'This document (OpenAPI 3.1)',
      answer: z.looseObject({ openapi: z.string() }),
    }),
    handler: async () => app.swagger(),
  })
  app.route({
    method: 'GET',
    url: '/metrics',
    config: { right: 'metrics' },
    schema: documented('read', {
      operationId: 'getMetrics',
      tags: ['agent'],
      summary: 'Metrics, in the text format of Prometheus',
      description: 'Asks for no token where open_metrics is set.',
      text: { type: 'text/plain', description: 'The metrics.' },
    }),
    handler: async (_request, reply) => {
      if (metrics === undefined) throw new Unknown('this agent has no metrics')
      const { contentType, text } = await metrics()
      return reply.type(contentType).send(text)
    },
  })
  addQuestions(app, agent)
  addActs(app, agent)
}
