import type { ServerOptions } from 'node:https'
import type { Socket } from 'node:net'
import { fastifySSE } from '@fastify/sse'
import fastifySwagger from '@fastify/swagger'
import { type FastifyReply, type FastifyServerOptions, fastify } from 'fastify'
import { serializerCompiler, validatorCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod'
import { UsageError } from '../model/errors.ts'
import { documentOptions } from './document.ts'
import { faultOf, TurnedAway } from './faults.ts'
import { type Door, guard } from './guard.ts'

export interface AppOptions {
  version: string
  door: Door
  tls: ServerOptions | undefined
  heartbeatMs: number
  /** Told what nobody thought of. */
  onError(error: unknown): void
}

/** A server without routes and without an address: its bounds, who is let in, and how errors are told. */
export async function makeApp({ version, door, tls, heartbeatMs, onError }: AppOptions) {
  const app = fastify(serverOptions(tls))
    .setValidatorCompiler(validatorCompiler)
    .setSerializerCompiler(serializerCompiler)
    .withTypeProvider<ZodTypeProvider>()
  // Only JSON: a page of another site can send all other types without asking. Many clients name one for no body at all, too.
  app.removeContentTypeParser('text/plain')
  app.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => {
    if (body === '') done(null)
    else
      done(new TurnedAway(415, 'the body of the request is no JSON', { hint: 'send it as application/json' }))
  })
  app.server.maxConnections = 256
  app.addHook('onRequest', async (_request, reply) => {
    reply.header('cache-control', 'no-store').header('x-content-type-options', 'nosniff')
  })
  app.addHook('onRequest', guard(door))
  app.setErrorHandler((error, _request, reply) => {
    const { status, headers, body, unforeseen } = faultOf(error)
    if (unforeseen) onError(error)
    return reply.code(status).headers(headers).type('application/json').send(body)
  })
  app.setNotFoundHandler(() => {
    throw new TurnedAway(404, 'there is nothing at this address for this method', {
      hint: '/api/v1/openapi.json has what there is',
    })
  })
  await app.register(fastifySwagger, documentOptions(version))
  await app.register(fastifySSE, { heartbeatInterval: heartbeatMs })
  return app
}

export type App = Awaited<ReturnType<typeof makeApp>>

function serverOptions(https: ServerOptions | undefined): FastifyServerOptions {
  const options: FastifyServerOptions & { https?: ServerOptions } = {
    ...(https && { https }),
    bodyLimit: 256 * 1024,
    // A request has so long to arrive, and an answer that is not read is kept no longer than a minute.
    requestTimeout: 30_000,
    connectionTimeout: 60_000,
    exposeHeadRoutes: false,
    routerOptions: { maxParamLength: 2048 },
    // Addresses that cannot be read come here before any hook.
    frameworkErrors: (error, _request, reply) => {
      const { status, body } = faultOf(error)
      void (reply as FastifyReply).code(status).type('application/json').send(body)
    },
    clientErrorHandler: (error, socket) => refuseRaw(error, socket as Socket),
  }
  return options
}

/** What is no HTTP at all. */
function refuseRaw(error: Error & { code?: string }, socket: Socket): void {
  // An answer in plain text to what is no TLS would wait for a handshake for ever.
  if (!/^(HPE|ERR_HTTP)_/.test(error.code ?? '') || !socket.writable) {
    socket.destroy()
    return
  }
  const { status, name } = rawFaults[error.code ?? ''] ?? { status: 400, name: 'Bad Request' }
  const { body } = faultOf(new UsageError('the request is no HTTP that can be read'))
  const text = JSON.stringify(body)
  const head = `HTTP/1.1 ${status} ${name}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(text)}\r\nconnection: close`
  socket.end(`${head}\r\n\r\n${text}`)
}

const rawFaults: Record<string, { status: number; name: string }> = {
  HPE_HEADER_OVERFLOW: { status: 431, name: 'Request Header Fields Too Large' },
  ERR_HTTP_REQUEST_TIMEOUT: { status: 408, name: 'Request Timeout' },
}
