import { Failure } from '../model/errors.ts'
import type { Message } from './compose.ts'
import type { Receiver } from './routing.ts'

/** A way to send. Throws NotSent; what else it throws counts as not sent, and not known whether it has arrived. */
export type Channel = (message: Message, receiver: Receiver, signal: AbortSignal) => Promise<void>

/** A message was not sent, as far as is known. Never holds a secret. */
export class NotSent extends Failure {
  /** It has surely not arrived. */
  readonly certain: boolean
  /** The receiver was reached and said no to this message: another one may do better. */
  readonly answered: boolean
  /** Sending it again cannot help. */
  readonly final: boolean

  constructor(
    message: string,
    options: { cause?: unknown; hint?: string; certain: boolean; answered?: boolean; final?: boolean },
  ) {
    super(message, options)
    this.certain = options.certain
    this.answered = options.answered ?? false
    this.final = options.final ?? false
  }
}
