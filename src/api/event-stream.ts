import { createParser } from 'eventsource-parser'
import type { AgentEvent } from '../agent/agent.ts'
import { Failure } from '../model/errors.ts'
import { eventIn } from './shapes.ts'

/** The events in a stream of text. Ends when the stream does or the signal says so; throws Failure when it breaks. */
export async function* eventsIn(
  open: () => Promise<AsyncIterable<string>>,
  signal: AbortSignal,
): AsyncGenerator<AgentEvent> {
  const read: AgentEvent[] = []
  const parser = createParser({
    onEvent: ({ data }) => {
      const event = eventIn(JSON.parse(data))
      if (event !== undefined) read.push(event)
    },
  })
  try {
    for await (const piece of await open()) {
      parser.feed(piece)
      yield* read.splice(0)
    }
  } catch (cause) {
    if (signal.aborted) return
    if (cause instanceof Failure) throw cause
    throw new Failure("the agent's events broke off", {
      cause,
      hint: 'ask again: it may have been restarted',
    })
  }
}
