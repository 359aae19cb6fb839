import { createHmac } from 'node:crypto'
import { Agent } from 'node:https'
import axios, { type AxiosError } from 'axios'
import type { RouteConfig } from '../config/keys.ts'
import { hintOf, messageOf } from '../model/errors.ts'
import { oneLine } from '../model/shown.ts'
import type { Clock } from '../run/clock.ts'
import { type Channel, NotSent } from './channel.ts'
import type { Message } from './compose.ts'
import type { Letter } from './letter.ts'
import { secretText } from './secret-text.ts'
import { trustOf } from './trust.ts'
import { mostNamed } from './wording.ts'

/** Refusals that may pass: too slow, too early, too many. */
const passing = new Set([408, 425, 429])
const neverSent = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH'])

/**
 * Messages posted as JSON, without redirects and proxies. An answer of 2xx means that it is taken; 4xx but for 408, 425 and 429 that it never will be.
 *
 * With a secret the post is signed: `X-Vmbackup-Signature: t=TIME,v1=HEX`, where HEX is the HMAC-SHA256, with the secret as its key, of TIME, a dot
 * and the body as it was received. Who checks it makes the same from the raw body, compares in constant time, and refuses a TIME (seconds since 1970)
 * that is more than five minutes off. `Idempotency-Key`, which is `id` in the body, is the same whenever a message is sent again.
 */
export function createWebhook(
  routes: readonly RouteConfig[],
  clock: Pick<Clock, 'now'>,
  timeoutMs = 30_000,
): Channel {
  return async (message, { route: name }, signal) => {
    const route = routes.find((one) => one.name === name)
    if (route?.webhook === undefined) {
      throw new NotSent(`route ${name} has no webhook`, { certain: true, final: true })
    }
    const { webhook } = route
    // The path may be as good as a password, so only the host is named.
    const doing = `could not post to ${new URL(webhook).host} (route ${name})`
    const { secret, httpsAgent } = await prepared(route, doing)
    const body = bodyOf(message, name)
    const time = Math.floor(clock.now() / 1000)
    const limit = AbortSignal.timeout(timeoutMs)
    const status = await axios
      .post<{ destroy(): void }>(webhook, body, {
        adapter: 'http',
        proxy: false,
        maxRedirects: 0,
        responseType: 'stream',
        validateStatus: () => true,
        headers: {
          'Content-Type': 'application/json',
          'User-Agent': 'vmbackup',
          'Idempotency-Key': message.id,
          ...(secret === undefined ? {} : { 'X-Vmbackup-Signature': signatureOf(secret, time, body) }),
        },
        httpsAgent,
        signal: AbortSignal.any([signal, limit]),
      })
      .then(
        (answer) => {
          // What it says beside its status is of no interest, however long it is.
          answer.data.destroy()
          return answer.status
        },
        (error: unknown) => {
          throw unanswered(error, doing, limit.aborted)
        },
      )
      .finally(() => httpsAgent.destroy())
    if (status < 200 || status > 299) throw refused(status, doing)
  }
}

async function prepared({ webhookSecret, webhookSecretFile }: RouteConfig, doing: string) {
  try {
    const secret = await secretText(
      { secret: webhookSecret, file: webhookSecretFile },
      'webhook_secret_file of the route',
    )
    return { secret, httpsAgent: new Agent({ secureContext: await trustOf(undefined), keepAlive: false }) }
  } catch (error) {
    const hint = hintOf(error)
    throw new NotSent(`${doing}: ${messageOf(error)}`, { certain: true, ...(hint && { hint }) })
  }
}

/** What X-Vmbackup-Signature says of a body sent at that second. */
function signatureOf(secret: string, time: number, body: string): string {
  return `t=${time},v1=${createHmac('sha256', secret).update(`${time}.${body}`).digest('hex')}`
}

/** Pure: a message as JSON, the same text whenever it is sent again. Of many folded letters the first 20 are in it, and `count` is all of them. */
function bodyOf({ id, kind, severity, at, matter, title, text, letters }: Message, route: string): string {
  const facts = { version: 1, id, route, kind, severity, at: iso(at), matter, title, text }
  const alerts = letters.slice(0, mostNamed).map((letter) => ({ ...letter, at: iso(letter.at) }))
  return JSON.stringify(kind === 'digest' ? facts : { ...facts, count: letters.length, alerts })
}

function iso(at: Letter['at']): string {
  return new Date(at).toISOString()
}

function refused(status: number, doing: string): NotSent {
  const final = status >= 400 && status < 500 && !passing.has(status)
  const redirects = status >= 300 && status < 400
  return new NotSent(`${doing}: HTTP ${status}`, {
    // What stands before the receiver may say 500, 502 or 504 although the receiver has got it.
    certain: status < 500 || status === 503,
    answered: true,
    final,
    ...(final
      ? { hint: 'check webhook and webhook_secret_file of the route, and what the receiver logs' }
      : {}),
    ...(redirects ? { hint: 'it sends us on to another address: write that one into webhook' } : {}),
  })
}

// An axios error carries the whole request, so only its words and code go on.
function unanswered(error: unknown, doing: string, late: boolean): NotSent {
  const { message, code, cause } = error as AxiosError
  const inner = cause as NodeJS.ErrnoException | undefined
  const reason = inner?.code ?? code ?? 'unknown'
  const tls = /CERT|SIGNED|SIGNATURE|TLS|SSL|EPROTO/.test(reason)
  const words = late ? 'no answer in time' : oneLine(inner?.message || message, 200) || reason
  return new NotSent(`${doing}: ${words}`, {
    certain: !late && (tls || neverSent.has(reason)),
    ...(tls ? { hint: 'its certificate must be signed by an authority that this system trusts' } : {}),
  })
}
