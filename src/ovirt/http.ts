import { setTimeout as pause } from 'node:timers/promises'
import { addressOf } from './address.ts'
import { type Act, actBodyOf, authorized, bodyOf, type Query, readOf, requestOf, tagOf } from './request.ts'
import { createSignOn } from './sign-on.ts'
import { type Answer, createTransport, NoAnswer, type Request } from './transport.ts'
import { type Certainty, isTlsTrouble, reasonOf, refusal, unreachable, wasNeverSent } from './trouble.ts'

export interface HttpOptions {
  /** `https://HOST[:PORT][/ovirt-engine/api]` */
  server: string
  user: string
  password: () => Promise<string>
  /** PEM text of the only authorities to trust; absent means the system's. */
  ca?: string | undefined
  verifyTls: boolean
  /** For one request; default 60 s. */
  timeoutMs?: number | undefined
  /** How long safe requests are repeated while the engine restarts; default 120 s. */
  restartMs?: number | undefined
  /** How long an act is repeated while the engine says that something is busy (409); default 60 s. */
  busyMs?: number | undefined
  maxAnswerBytes?: number | undefined
  now?: () => number
  sleep?: (ms: number, signal: AbortSignal) => Promise<unknown>
}

/** JSON in, JSON out, over one session with the engine. All throws are EngineError, or the signal's reason. */
export interface Http {
  readonly encrypted: boolean
  /** Correlation ids of tries that the engine refused as busy; their jobs and events mean nothing. */
  readonly refusedTags: ReadonlySet<string>
  get(path: string, query: Query, doing: string, signal: AbortSignal): Promise<unknown>
  /** Gives the body and the correlation id of the try that was accepted. */
  act(act: Act, signal: AbortSignal): Promise<{ body: unknown; tag: string | undefined }>
  /** Signs off; never throws. */
  close(): Promise<void>
}

interface Accepted {
  answer: Answer
  tag: string | undefined
}

const firstPauseMs = 500
const longestPauseMs = 10_000
const closeWithinMs = 10_000

// Refusals as "conflict" that no waiting heals (texts of AppErrors.properties; the session asks for English).
const lasting = /low disk space|not running|already used|already exists|unplugged|stateless|preview/i

/** Opens nothing yet; signs on at the first request. Throws UsageError on a bad address or CA. */
export function createHttp(options: HttpOptions): Http {
  const address = addressOf(options.server, options.verifyTls)
  const transport = createTransport({ ...options, timeoutMs: options.timeoutMs ?? 60_000 })
  const now = options.now ?? Date.now
  const sleep = options.sleep ?? ((ms: number, signal: AbortSignal) => pause(ms, undefined, { signal }))
  const refusedTags = new Set<string>()
  let reached = false

  async function rest(ms: number, signal: AbortSignal): Promise<void> {
    try {
      await sleep(ms, signal)
    } finally {
      signal.throwIfAborted()
    }
  }

  async function once(request: Request, signal: AbortSignal): Promise<Answer | NoAnswer> {
    try {
      const answer = await transport.send(request, signal)
      reached ||= answer.status < 500
      return answer
    } catch (error) {
      if (error instanceof NoAnswer) return error
      throw error
    }
  }

  // An engine that never answered is more likely misnamed than restarting, so that is told at once.
  function mayPass(outcome: Answer | NoAnswer): boolean {
    if (outcome instanceof NoAnswer) {
      return reached && outcome.code !== 'TOO_LARGE' && !isTlsTrouble(outcome.code)
    }
    return [502, 503, 504].includes(outcome.status) || (reached && outcome.status === 404 && outcome.isHtml)
  }

  /** An act is done twice only if the first one cannot have arrived. */
  function mayPassUnsent(outcome: Answer | NoAnswer): boolean {
    return outcome instanceof NoAnswer && wasNeverSent(outcome) && mayPass(outcome)
  }

  async function untilUp(
    attempt: () => Promise<Answer | NoAnswer>,
    signal: AbortSignal,
    mayRepeat = mayPass,
  ): Promise<Answer | NoAnswer> {
    const deadline = now() + (options.restartMs ?? 120_000)
    for (let wait = firstPauseMs; ; wait = longer(wait)) {
      const outcome = await attempt()
      if (!mayRepeat(outcome) || now() + wait > deadline) return outcome
      await rest(wait, signal)
    }
  }

  function answered(outcome: Answer | NoAnswer, doing: string, certainty?: Certainty): Answer {
    if (outcome instanceof NoAnswer) throw unreachable(outcome, doing, address, certainty)
    return outcome
  }

  const signOn = createSignOn(address, options, async (url, form, doing, signal) => {
    const request: Request = {
      method: 'POST',
      url,
      // Exactly this: the engine compares the whole header (SsoService).
      headers: { Accept: 'application/json', 'Content-Type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams(form).toString(),
    }
    return answered(await untilUp(() => once(request, signal), signal), doing)
  })

  async function signedOn(request: Request, signal: AbortSignal): Promise<Answer | NoAnswer> {
    const token = await signOn.token(signal)
    const first = await once(authorized(request, token), signal)
    if (first instanceof NoAnswer || first.status !== 401) return first
    signOn.refused(token)
    return once(authorized(request, await signOn.token(signal)), signal)
  }

  async function tryAct(act: Act, tag: string | undefined, signal: AbortSignal): Promise<Answer> {
    const request = requestOf(address.api, act, tag)
    const attempt = () => signedOn(request, signal)
    const outcome = await untilUp(attempt, signal, act.repeatable ? mayPass : mayPassUnsent)
    return answered(outcome, act.doing, act.repeatable ? 'nothing changes' : 'unknown')
  }

  async function whileBusy(act: Act, signal: AbortSignal): Promise<Accepted> {
    const deadline = now() + (options.busyMs ?? 60_000)
    for (let round = 1, wait = firstPauseMs; ; round++, wait = longer(wait)) {
      const tag = tagOf(act.tag, round)
      const answer = await tryAct(act, tag, signal)
      if (answer.status !== 409) return { answer, tag }
      refusedTags.add(tag ?? '')
      if (lasting.test(reasonOf(answer)) || now() + wait > deadline) throw refusal(answer, act.doing)
      await rest(wait, signal)
    }
  }

  return {
    encrypted: address.encrypted,
    refusedTags,

    async get(path, query, doing, signal) {
      const request = readOf(address.api, path, query)
      const outcome = await untilUp(() => signedOn(request, signal), signal)
      return bodyOf(answered(outcome, doing), doing)
    },

    async act(act, signal) {
      const { answer, tag } = await whileBusy(act, signal)
      return { body: actBodyOf(answer, act), tag }
    },

    async close() {
      try {
        await signOn.end(AbortSignal.timeout(closeWithinMs))
      } catch {
        // The engine ends an idle session by itself after 30 minutes.
      } finally {
        transport.close()
      }
    },
  }
}

function longer(wait: number): number {
  return Math.min(wait * 2, longestPauseMs)
}
