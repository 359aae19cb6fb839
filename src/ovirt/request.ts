import { EngineError } from '../model/errors.ts'
import type { Answer, Request } from './transport.ts'
import { type Certainty, faultIn, reasonOf, refusal } from './trouble.ts'

export type Query = Record<string, string | number>

export interface Act {
  method: 'POST' | 'DELETE'
  path: string
  body?: object
  /** The correlation id; a try after a 409 gets `-r2`, `-r3` and so on. */
  tag?: string
  /** Completes "could not ...". */
  doing: string
  /** True when doing it twice is the same as once: then it is retried like a safe request. */
  repeatable?: boolean
}

const longestTag = 50

const apiHeaders = {
  Accept: 'application/json',
  // Refusals that no waiting heals are told by their English text.
  'Accept-Language': 'en-US',
  Version: '4',
}

/** The request with the session's token. */
export function authorized(request: Request, token: string): Request {
  return { ...request, headers: { ...request.headers, Authorization: `Bearer ${token}` } }
}

/** A question to the API. */
export function readOf(api: string, path: string, query: Query): Request {
  return { method: 'GET', url: `${api}${path}${queryText(query)}`, headers: apiHeaders }
}

/** One try of an act. Never asynchronous: then the engine would swallow its own refusals (BackendResource). */
export function requestOf(api: string, act: Act, tag: string | undefined): Request {
  const query = tag === undefined ? {} : { correlation_id: tag }
  const request = { method: act.method, url: `${api}${act.path}${queryText(query)}` }
  if (act.method === 'DELETE') return { ...request, headers: apiHeaders }
  const headers = { ...apiHeaders, 'Content-Type': 'application/json' }
  return { ...request, headers, body: JSON.stringify(act.body ?? {}) }
}

function queryText(query: Query): string {
  const text = new URLSearchParams(
    Object.entries(query).map(([key, value]): [string, string] => [key, String(value)]),
  ).toString()
  return text === '' ? '' : `?${text}`
}

/** The correlation id of the nth try, at most 50 characters. Throws EngineError on a tag the engine would change. */
export function tagOf(tag: string | undefined, round: number): string | undefined {
  if (tag === undefined) return undefined
  // The engine drops other characters and cuts the rest, and then the job could not be found again.
  if (!/^[A-Za-z0-9-]{1,50}$/.test(tag)) throw new EngineError(`"${tag}" cannot be a correlation id`)
  const suffix = round === 1 ? '' : `-r${round}`
  return `${tag.slice(0, longestTag - suffix.length)}${suffix}`
}

/** The JSON of an answer, undefined when it is empty. Throws EngineError for all but success. */
export function bodyOf(answer: Answer, doing: string, certainty?: Certainty): unknown {
  if (answer.status < 200 || answer.status >= 300) throw refusal(answer, doing, certainty)
  if (answer.text.trim() === '') return undefined
  let body: unknown
  try {
    body = JSON.parse(answer.text)
  } catch (cause) {
    throw new EngineError(`could not ${doing}: ${reasonOf(answer)} instead of JSON`, {
      cause: new Error(cause instanceof Error ? cause.name : 'not JSON'),
      hint: 'does server name the engine itself? a portal or proxy may answer in its place',
    })
  }
  return body
}

/** As bodyOf, for acts: an action may also report its failure inside an answer of success. */
export function actBodyOf(answer: Answer, act: Act): unknown {
  const body = bodyOf(answer, act.doing, act.repeatable ? 'nothing changes' : 'unknown')
  if (isFailedAction(body)) {
    throw new EngineError(`could not ${act.doing}: ${faultIn(answer.text) ?? 'the action failed'}`, {
      status: answer.status,
    })
  }
  return body
}

function isFailedAction(body: unknown): boolean {
  return (
    typeof body === 'object' &&
    body !== null &&
    ('fault' in body || ('status' in body && body.status === 'failed'))
  )
}
