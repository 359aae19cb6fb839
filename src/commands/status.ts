import { clearScreenDown, cursorTo } from 'node:readline'
import { type AgentClient, findAgent } from '../api/client.ts'
import type { AskedFor } from '../cli/asked.ts'
import { cut } from '../cli/cut.ts'
import { renderStatus } from '../cli/render-status.ts'
import { clockWords } from '../cli/words.ts'
import { type Clock, systemClock } from '../run/clock.ts'
import { lookOf, needAgent, print, reach } from './reach.ts'
import type { Terminal } from './terminal.ts'

/** Shows how all stands, once or kept up to date; returns the exit code. */
export async function status(asked: AskedFor<'status'>, terminal: Terminal): Promise<number> {
  const { once, options } = asked
  const reached = await reach(options, terminal)
  const agent = needAgent(reached)
  const { stdout } = terminal
  if (stdout.isTTY && !once && !options.json) {
    const { socket } = reached.config.api
    await watchStatus(agent, () => findAgent(socket), terminal, systemClock)
    return 0
  }
  const view = await agent.status()
  print(terminal, options.json, view, () => renderStatus(view, lookOf(terminal)))
  return 0
}

const everyMs = 1000
/** However much happens: a terminal at the other end of a slow line must keep up. */
const mostOftenMs = 200

/** Draws the status until the terminal's signal; an agent that goes away is looked for again. */
export async function watchStatus(
  first: AgentClient,
  find: () => Promise<AgentClient | undefined>,
  terminal: Pick<Terminal, 'stdout' | 'paintOut' | 'signal'>,
  clock: Clock,
): Promise<void> {
  const { stdout, paintOut: paint } = terminal
  const signal = terminal.signal()
  const { createLogUpdate } = await import('log-update')
  const live = createLogUpdate(stdout, { showCursor: true })
  // What was drawn for another size lies where nobody knows.
  const wipe = (): void => {
    live.clear()
    cursorTo(stdout, 0, 0)
    clearScreenDown(stdout)
  }
  stdout.on('resize', wipe)
  let lostAt: string | undefined
  let agent: AgentClient | undefined = first
  try {
    while (!signal.aborted) {
      if (agent !== undefined) {
        await draw(agent)
        lostAt = new Date(clock.now()).toISOString()
      }
      const since = clockWords(lostAt ?? '', { now: clock.now() })
      const words = `the agent does not answer since ${since}; it is looked for until Ctrl-C`
      live(paint.bad(cut(words, stdout.columns || 80)))
      await clock.sleep(everyMs, signal)
      agent = await find().catch(() => undefined)
    }
  } catch (error) {
    if (!signal.aborted) throw error
  } finally {
    stdout.off('resize', wipe)
    live.done()
  }

  /** Until the agent does not answer. */
  async function draw(from: AgentClient): Promise<void> {
    using bell = openBell(from, signal)
    for (;;) {
      const view = await from.status().catch(() => undefined)
      signal.throwIfAborted()
      if (view === undefined) return
      const { columns, rows } = stdout
      // A serial console has 0 of both: it does not know its size.
      live(renderStatus(view, { now: clock.now(), paint, columns: columns || 80, rows: (rows || 24) - 1 }))
      await clock.sleep(mostOftenMs, signal)
      await Promise.race([bell.rung(), clock.sleep(everyMs - mostOftenMs, signal)])
    }
  }
}

/** Rings when something has happened; without events a second is waited each time. */
function openBell(agent: AgentClient, signal: AbortSignal): Disposable & { rung(): Promise<void> } {
  const closing = new AbortController()
  let next = Promise.withResolvers<void>()
  const listen = async (): Promise<void> => {
    for await (const _event of agent.events(AbortSignal.any([signal, closing.signal]))) next.resolve()
  }
  listen().catch(() => undefined)
  return {
    async rung() {
      await next.promise
      next = Promise.withResolvers()
    },
    [Symbol.dispose]: () => closing.abort(),
  }
}
