import { createConnection, type Socket } from 'node:net'
import { createInterface } from 'node:readline'

export interface QmpEvent {
  event: string
  data: Record<string, unknown>
}

/** A conversation with one qemu process. Every promise is rejected once the process closes the socket. */
export interface Qmp {
  /** Runs one command; throws with qemu's own words when it is refused. */
  run(command: string, args?: object): Promise<unknown>
  /** The next event that is accepted. Ask before the command that causes it, else it can be missed. */
  event(accepts: (event: QmpEvent) => boolean): Promise<QmpEvent>
  close(): void
}

interface Pending<T> {
  resolve(value: T): void
  reject(error: Error): void
}

interface Message {
  QMP?: object
  id?: number
  event?: string
  data?: Record<string, unknown>
  return?: unknown
  error?: { desc: string }
}

/**
 * Connects to a QMP monitor on a unix socket; throws if nobody listens there. A monitor that talks to somebody else
 * lets callers wait. The signal ends the conversation.
 */
export async function openQmp(path: string, signal?: AbortSignal): Promise<Qmp> {
  const socket = createConnection({ path, ...(signal && { signal }) })
  const commands = new Map<number, Pending<unknown> & { command: string }>()
  const waiters = new Set<Pending<QmpEvent> & { accepts(event: QmpEvent): boolean }>()
  const greeting = Promise.withResolvers<void>()
  let lastId = 0
  let ended: Error | undefined

  const answer = (message: Message) => {
    const pending = commands.get(message.id ?? 0)
    if (pending === undefined) return
    commands.delete(message.id ?? 0)
    if (message.error) pending.reject(new Error(`qemu refused ${pending.command}: ${message.error.desc}`))
    else pending.resolve(message.return)
  }
  const tell = (event: QmpEvent) => {
    for (const waiter of [...waiters].filter((each) => each.accepts(event))) {
      waiters.delete(waiter)
      waiter.resolve(event)
    }
  }
  const fail = (error: Error) => {
    ended ??= error
    greeting.reject(error)
    for (const pending of [...commands.values(), ...waiters]) pending.reject(error)
    commands.clear()
    waiters.clear()
  }
  const run = (command: string, args: object = {}) => {
    if (ended) return Promise.reject(ended)
    const id = ++lastId
    const { promise, resolve, reject } = Promise.withResolvers<unknown>()
    commands.set(id, { command, resolve, reject })
    socket.write(`${JSON.stringify({ execute: command, arguments: args, id })}\n`)
    return promise
  }

  // readline passes the socket's errors on to its own listener as well as to the socket's.
  createInterface({ input: socket })
    .on('error', () => undefined)
    .on('line', (line) => {
      const message = JSON.parse(line) as Message
      if (message.QMP) greeting.resolve()
      else if (message.event) tell({ event: message.event, data: message.data ?? {} })
      else answer(message)
    })
  endsWith(socket, fail)

  await greeting.promise
  await run('qmp_capabilities')
  return {
    run,
    event(accepts) {
      if (ended) return Promise.reject(ended)
      const { promise, resolve, reject } = Promise.withResolvers<QmpEvent>()
      waiters.add({ accepts, resolve, reject })
      return promise
    },
    close: () => socket.destroy(),
  }
}

function endsWith(socket: Socket, fail: (error: Error) => void): void {
  socket.on('error', (cause) => fail(new Error(`no answer from qemu: ${cause.message}`, { cause })))
  socket.on('close', () => fail(new Error('the qemu process ended')))
}
