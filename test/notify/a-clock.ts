import { setImmediate } from 'node:timers/promises'
import type { Clock } from '../../src/run/clock.ts'

/** Time that stands still until it is moved. */
export class HeldClock implements Clock {
  #now: number
  readonly #sleepers = new Set<{ at: number; wake: () => void }>()

  constructor(at = '2026-11-21T12:00:00Z') {
    this.#now = Date.parse(at)
  }

  now(): number {
    return this.#now
  }

  async sleep(ms: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const sleeper = { at: this.#now + ms, wake: resolve }
    const abort = () => reject(signal.reason as Error)
    this.#sleepers.add(sleeper)
    signal.addEventListener('abort', abort, { once: true })
    try {
      await promise
    } finally {
      this.#sleepers.delete(sleeper)
      signal.removeEventListener('abort', abort)
    }
  }

  /** Moves on, minute by minute, and lets everybody do what is due then; days in larger steps. */
  async pass(ms: number): Promise<void> {
    const end = this.#now + ms
    const stepMs = Math.max(60_000, ms / 200)
    await this.#rouse()
    while (this.#now < end) {
      this.#now = Math.min(end, this.#now + stepMs)
      await this.#rouse()
    }
  }

  /** Jumps, as a host that was asleep. */
  async jump(to: string): Promise<void> {
    this.#now = Date.parse(to)
    await this.#rouse()
  }

  async #rouse(): Promise<void> {
    for (const { at, wake } of this.#sleepers) if (at <= this.#now) wake()
    for (let turn = 0; turn < 10; turn += 1) await setImmediate()
  }
}
