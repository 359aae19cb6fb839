import { type ChildProcess, fork } from 'node:child_process'
import { extname, join } from 'node:path'
import type { WriteCount } from './write-loop.ts'
import type { WriterAnswer, WriterRequest } from './writer-process.ts'

/** The guests' part of the lab: one child process that writes checkable blocks to the disks of every VM. */
export interface Writer {
  /** Begins on blank disks or goes on where the disks end; throws if they are torn. */
  start(request: Omit<Extract<WriterRequest, { act: 'start' }>, 'act'>): Promise<void>
  acked(vm: string): Promise<WriteCount>
  /** The same, and the longest stall is counted anew. */
  stats(vm: string): Promise<WriteCount>
  /** Resolves when the last write is acknowledged and flushed. */
  pause(vm: string): Promise<WriteCount>
  resume(vm: string): Promise<void>
  setRate(vm: string, rate: number): Promise<void>
  /** Flushes what it can; tells the last counts. */
  stop(vm: string): Promise<WriteCount>
  close(): Promise<void>
}

/** The process starts with the first request and ends with `close`, or with this process. */
export function createWriter(): Writer {
  const pending = new Map<number, PromiseWithResolvers<WriterAnswer>>()
  let child: ChildProcess | undefined
  let ended: Promise<void> | undefined
  let lastId = 0

  const spawn = () => {
    const program = join(import.meta.dirname, `writer-process${extname(import.meta.filename)}`)
    const started = fork(program, { execArgv: [] })
    child = started
    ended = new Promise((resolve) => started.once('exit', () => resolve()))
    started.on('message', ({ id, answer }: { id: number; answer: WriterAnswer }) => {
      pending.get(id)?.resolve(answer)
      pending.delete(id)
    })
    started.once('exit', () => {
      child = undefined
      for (const each of pending.values()) each.reject(new Error('the writer process ended'))
      pending.clear()
    })
    return started
  }
  const ask = async (request: WriterRequest): Promise<WriteCount> => {
    const id = ++lastId
    const reply = Promise.withResolvers<WriterAnswer>()
    pending.set(id, reply)
    const target = child ?? spawn()
    target.send({ id, request })
    const answer = await reply.promise
    if ('error' in answer) throw new Error(`writer of VM ${request.vm}: ${answer.error}`)
    return answer.count
  }

  return {
    start: async (request) => void (await ask({ act: 'start', ...request })),
    acked: (vm) => ask({ act: 'count', vm }),
    stats: (vm) => ask({ act: 'stats', vm }),
    pause: (vm) => ask({ act: 'pause', vm }),
    resume: async (vm) => void (await ask({ act: 'resume', vm })),
    setRate: async (vm, rate) => void (await ask({ act: 'rate', vm, rate })),
    stop: (vm) => ask({ act: 'stop', vm }),
    async close() {
      if (child?.connected) child.disconnect()
      await ended
    },
  }
}
