import { fork } from 'node:child_process'
import { once } from 'node:events'

/** What a process of the bench answers: to the newest question, or why it could not. */
type Told = { answer: unknown } | { failed: string }

/** A process of its own, so that what it needs is its own; disposing of it ends it. */
export interface Child extends AsyncDisposable {
  /** One question at a time. Throws what the process could not do. */
  ask<Answer>(question: object): Promise<Answer>
}

/** Starts a program that answers by `answering`. */
export function startChild(program: string, signal: AbortSignal): Child {
  const child = fork(program, [], { serialization: 'advanced', stdio: ['ignore', 2, 2, 'ipc'], signal })
  const ended = once(child, 'exit').catch(() => undefined)
  return {
    async ask<Answer>(question: object) {
      signal.throwIfAborted()
      const told = Promise.withResolvers<Told>()
      const gone = () => told.resolve({ failed: `${program} has ended` })
      child.once('message', (message) => told.resolve(message as Told)).once('exit', gone)
      child.send(question)
      const answer = await told.promise
      child.removeAllListeners('message').off('exit', gone)
      if ('failed' in answer) throw new Error(answer.failed)
      return answer.answer as Answer
    },
    async [Symbol.asyncDispose]() {
      child.kill()
      await ended
    },
  }
}

/** In the process: answers every question of its parent, one after the other, and ends with it, however that ends. */
export function answering<Question>(answer: (question: Question) => Promise<unknown>): void {
  process.on('disconnect', () => process.exit())
  process.on('message', (question: Question) => {
    answer(question).then(
      (found) => process.send?.({ answer: found }),
      (error: unknown) =>
        process.send?.({ failed: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
    )
  })
}
