import type { FastifyReply } from 'fastify'
import type { AgentView } from '../agent/agent.ts'
import type { App } from './app.ts'
import { documented } from './document.ts'
import type { Feed, Told } from './feed.ts'
import { findJob } from './questions.ts'
import { JobQuery } from './shapes.ts'

/**
 * The route of the server-sent events. The client that does not take them for `stallMs`, or lets more wait than the feed allows, is cut
 * off: it may come again.
 */
export function addEvents(app: App, agent: AgentView, feed: Feed, stallMs: number): void {
  app.route({
    method: 'GET',
    url: '/api/v1/events',
    // Whoever asks for this gets nothing else, so there is nothing to negotiate.
    sse: { kind: 'manual', serializer: (json: string) => json },
    config: { right: 'read' },
    schema: documented('read', {
      operationId: 'watchEvents',
      tags: ['agent'],
      summary: 'What happens, as it happens (server-sent events)',
      description:
        'The name of an event is its kind, its data an Event as JSON. The first one is `changed`; it also comes after whatever was ' +
        'missed. Nothing is sent again: after a break ask for the status. A client that does not read is cut off.',
      querystring: JobQuery,
      text: { type: 'text/event-stream', description: 'The events, until either side ends them.' },
    }),
    handler: async (request, reply) => {
      const { job } = request.query
      if (job !== undefined) findJob(agent, job)
      using listener = feed.listen(job)
      reply.sse.onClose(() => listener[Symbol.dispose]())
      for await (const told of listener) {
        if (!(await isTaken(reply, told, listener.ended, stallMs))) break
      }
      const { raw } = reply
      // Ended for its slowness: what it has not read would keep the connection for as long as it likes.
      if (raw.writableNeedDrain) raw.destroy()
      else raw.end(() => raw.socket?.end())
    },
  })
}

/** False when the client has gone, has taken nothing for too long, or is to be given no more. */
async function isTaken(
  reply: FastifyReply,
  { id, kind, json }: Told,
  ended: Promise<void>,
  stallMs: number,
): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, stallMs)
  })
  // The promise of a send whose client has gone is never settled.
  const sent = reply.sse.send({ id, event: kind, data: json }).then(() => true)
  const isSent = await Promise.race([sent, ended.then(() => false), late.then(() => false)])
  clearTimeout(timer)
  return isSent
}
