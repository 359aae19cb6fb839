import type { z } from 'zod'
import {
  Cancelled,
  CommandFailed,
  chainOf,
  EngineError,
  Failure,
  hintOf,
  Locked,
  Refused,
  TimedOut,
  Unknown,
  UsageError,
} from '../model/errors.ts'
import { oneLine } from '../model/shown.ts'
import type { ErrorView } from './shapes.ts'

/** A request that is not let in, or not now. */
export class TurnedAway extends Failure {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>

  constructor(
    status: number,
    message: string,
    options: { hint?: string; headers?: Readonly<Record<string, string>> } = {},
  ) {
    super(message, options)
    this.status = status
    this.headers = options.headers ?? {}
  }
}

const statuses = [
  [Unknown, 404],
  [Refused, 409],
  [Locked, 409],
  [UsageError, 400],
  [EngineError, 502],
  [CommandFailed, 502],
  [TimedOut, 504],
  [Cancelled, 503],
] as const

export interface Fault {
  status: number
  headers: Readonly<Record<string, string>>
  body: z.infer<typeof ErrorView>
  /** Nobody thought of it: for the log. */
  unforeseen: boolean
}

/** How an error is told to a client: only what was written for people, never a stack. */
export function faultOf(error: unknown): Fault {
  if (error instanceof TurnedAway) return told(error, error.status, error.headers)
  if (error instanceof Failure) {
    const status = statuses.find(([kind]) => error instanceof kind)?.[1]
    return { ...told(error, status ?? 500), unforeseen: status === undefined }
  }
  return faultOfServer(error) ?? unforeseen
}

/** Those of fastify: what it has against a request is in its own words, and names at most a part of that request. */
function faultOfServer(error: unknown): Fault | undefined {
  if (!(error instanceof Error) || !('statusCode' in error) || typeof error.statusCode !== 'number')
    return undefined
  const { statusCode: status } = error
  if (!((status >= 400 && status < 500) || status === 503)) return undefined
  const hint = '/api/v1/openapi.json has what is allowed'
  return told(new Failure(`the request cannot be answered: ${error.message}`, { hint }), status)
}

function told(error: Failure, status: number, headers: Readonly<Record<string, string>> = {}): Fault {
  const hint = hintOf(error)
  const message = oneLine(chainOf(error).join(': '))
  const body = { error: { message, ...(hint === undefined ? {} : { hint: oneLine(hint) }) } }
  return { status, headers, body, unforeseen: false }
}

const unforeseen: Fault = {
  status: 500,
  headers: {},
  body: { error: { message: 'the agent made a mistake', hint: 'its log says which; please report it' } },
  unforeseen: true,
}

/** The error that an answer of the API stands for. */
export function failureOf(status: number, { error }: z.infer<typeof ErrorView>): Failure {
  const options = error.hint === undefined ? {} : { hint: error.hint }
  if (status === 502) return new EngineError(error.message, options)
  const kind = statuses.find(([, known]) => known === status)?.[0] ?? Failure
  return kind === CommandFailed || kind === EngineError
    ? new Failure(error.message, options)
    : new (kind as typeof Failure)(error.message, options)
}
