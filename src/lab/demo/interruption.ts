import { onSignals } from '../signals.ts'

/** Exit codes as a shell gives them for a program that such a signal ended. */
const exitCodes = { SIGINT: 130, SIGTERM: 143 } as const
const names = ['SIGINT', 'SIGTERM'] as const

/** What SIGINT or SIGTERM asked for. */
export class Interruption extends Error {
  readonly exitCode: number

  constructor(name: keyof typeof exitCodes) {
    super(`ended by ${name}`)
    this.exitCode = exitCodes[name]
  }
}

/** Listens for SIGINT and SIGTERM until disposed; a second one calls `giveUp`, by default the end of the process. */
export function listenForInterruption(giveUp: (exitCode: number) => void = process.exit) {
  const { promise, reject } = Promise.withResolvers<never>()
  let seen: Interruption | undefined
  // Nobody may be waiting just then.
  promise.catch(() => undefined)
  const listening = onSignals(names, (name) => {
    if (seen) return giveUp(exitCodes[name])
    seen = new Interruption(name)
    reject(seen)
  })
  return {
    /** Throws if it has come. */
    check() {
      if (seen) throw seen
    },
    /** The work's outcome; throws as soon as it comes, while the work goes on unseen. */
    orElse<T>(work: Promise<T>): Promise<T> {
      return Promise.race([work, promise])
    },
    [Symbol.dispose]: () => listening[Symbol.dispose](),
  }
}
