import { chainOf, hintOf } from '../model/errors.ts'
import { oneLine } from '../model/shown.ts'
import type { Clock } from '../run/clock.ts'
import { within } from '../run/within.ts'
import { type Channel, NotSent } from './channel.ts'
import { compose, foldingMs, type Message } from './compose.ts'
import type { Letter } from './letter.ts'
import type { Failing, Outbox } from './outbox.ts'
import { type ChannelKind, keyOf, type Receiver } from './routing.ts'

/** What sending brings to light. */
export interface Findings {
  /** Once more it could not be sent. */
  failing(receiver: Receiver, how: Failing): void
  /** It was sent, after it had failed. */
  reached(receiver: Receiver): void
  gaveUp(receiver: Receiver, letters: readonly Letter[], why: string): void
  /** The outbox could not be read or written. */
  broken(error: unknown): void
}

const givenUpAfterMs = 7 * 86_400_000
const longestPauseMs = 3_600_000
const brokenPauseMs = 60_000
const longestSendMs = 600_000

/** Sends what waits in an outbox: each receiver has a turn of its own, so that none waits for another. */
export class Dispatch {
  readonly outbox: Outbox
  readonly #receivers: readonly Receiver[]
  readonly #channels: Record<ChannelKind, Channel>
  readonly #foldAbove: number
  readonly #clock: Clock
  readonly #findings: Findings
  readonly #turns = new Map<string, Promise<void>>()
  readonly #notBefore = new Map<string, number>()
  /** Sent, but the outbox could not be told: these must not be sent again. */
  readonly #unnoted = new Map<string, () => void>()

  constructor(
    outbox: Outbox,
    options: {
      receivers: readonly Receiver[]
      channels: Record<ChannelKind, Channel>
      foldAbove: number
      clock: Clock
      findings: Findings
    },
  ) {
    this.outbox = outbox
    this.#receivers = options.receivers
    this.#channels = options.channels
    this.#foldAbove = options.foldAbove
    this.#clock = options.clock
    this.#findings = options.findings
  }

  /**
   * Begins what is due, calls back at the end of each turn, and says when something is due next. After `stop` no message is
   * begun, after `drop` none is waited for.
   */
  begin(signals: { stop: AbortSignal; drop: AbortSignal }, ended: () => void): number {
    const now = this.#clock.now()
    const waiting = new Set(this.outbox.receivers())
    const failing = new Map(this.outbox.failing().map((one) => [one.receiver, one.nextAt]))
    let next = Number.POSITIVE_INFINITY
    for (const receiver of this.#receivers) {
      const key = keyOf(receiver)
      if (!waiting.has(key) || this.#turns.has(key)) continue
      // No pause is longer, unless the clock was put back.
      const dueAt = Math.min(
        Math.max(failing.get(key) ?? 0, this.#notBefore.get(key) ?? 0),
        now + longestPauseMs,
      )
      if (dueAt > now) next = Math.min(next, dueAt)
      else
        this.#turns.set(
          key,
          this.#turn(receiver, signals).finally(() => this.#end(key, ended)),
        )
    }
    return next
  }

  get isIdle(): boolean {
    return this.#turns.size === 0
  }

  /** Until all turns that are under way have ended. */
  async ended(): Promise<void> {
    await Promise.all(this.#turns.values())
  }

  #end(key: string, ended: () => void): void {
    this.#turns.delete(key)
    ended()
  }

  /** Never throws. */
  async #turn(receiver: Receiver, { stop, drop }: { stop: AbortSignal; drop: AbortSignal }): Promise<void> {
    const key = keyOf(receiver)
    try {
      this.#notBefore.delete(key)
      this.#noteSent(key)
      const { messages, holdUntil } = this.#due(key)
      if (holdUntil !== undefined) this.#notBefore.set(key, holdUntil)
      for (const message of messages) {
        if (stop.aborted || !(await this.#send(message, receiver, drop))) return
      }
    } catch (error) {
      this.#notBefore.set(key, this.#clock.now() + brokenPauseMs)
      this.#findings.broken(error)
    }
  }

  #due(key: string) {
    const now = this.#clock.now()
    const sentAt = this.outbox.sentSince(key, now - foldingMs).filter((at) => at <= now)
    return compose(key, this.outbox.waiting(key), sentAt, this.#foldAbove)
  }

  /** False when the receiver is better left alone for a while. */
  async #send(message: Message, receiver: Receiver, drop: AbortSignal): Promise<boolean> {
    const key = keyOf(receiver)
    this.outbox.begin(message.id, message.parts)
    try {
      // By the machine's own time: what hangs would keep this receiver from all that comes.
      const signal = AbortSignal.any([drop, AbortSignal.timeout(longestSendMs)])
      await within(this.#channels[receiver.channel](message, receiver, signal), signal)
    } catch (error) {
      // It goes again at the next start; nothing is wrong with the receiver.
      if (drop.aborted) return false
      return this.#notSent(message, receiver, error)
    }
    const hadFailed = this.outbox.failing().some((one) => one.receiver === key)
    const sentAt = this.#clock.now()
    this.#unnoted.set(key, () => this.outbox.sent(key, message.id, sentAt))
    this.#noteSent(key)
    if (hadFailed) this.#findings.reached(receiver)
    return true
  }

  #noteSent(key: string): void {
    this.#unnoted.get(key)?.()
    this.#unnoted.delete(key)
  }

  #notSent({ id, letters, parts }: Message, receiver: Receiver, error: unknown): boolean {
    const key = keyOf(receiver)
    const now = this.#clock.now()
    const what = wordsOf(error)
    const { certain, answered, final } =
      error instanceof NotSent ? error : { certain: false, answered: false, final: false }
    if (final) {
      this.outbox.giveUp(key, parts, { what, now })
      this.#findings.gaveUp(receiver, letters, what)
      return true
    }
    const failing = this.outbox.failed(key, id, { certain, answered, what }, now)
    const old = this.outbox.waiting(key).filter(({ takenAt }) => takenAt <= now - givenUpAfterMs)
    if (old.length > 0) {
      this.outbox.giveUp(key, old)
      this.#findings.gaveUp(
        receiver,
        old.map(({ letter }) => letter),
        `tried for a week; ${what}`,
      )
    }
    this.#findings.failing(receiver, failing)
    return false
  }
}

function wordsOf(error: unknown): string {
  const hint = hintOf(error)
  const [message = 'unknown error'] = chainOf(error)
  return oneLine(hint === undefined ? message : `${message}; ${hint}`, 500)
}
