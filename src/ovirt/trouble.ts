import { EngineError } from '../model/errors.ts'
import { oneLine } from '../model/shown.ts'
import type { EngineAddress } from './address.ts'
import type { Answer, NoAnswer } from './transport.ts'

/** A page says what it is at its beginning. */
const pageCharacters = 16_384

/** What is known about an act that got no proper answer. */
export type Certainty = 'nothing changes' | 'surely not done' | 'unknown'

/** The error for an answer other than success. `doing` completes "could not ...". Web pages are cut to their title. */
export function refusal(
  answer: Answer,
  doing: string,
  certainty: Certainty = 'nothing changes',
): EngineError {
  const unsure = certainty === 'unknown' && answer.status >= 502
  const said = unsure ? `${reasonOf(answer)}; ${unknownOutcome}` : reasonOf(answer)
  const hint = unsure ? unknownHint : hintFor(answer)
  // A web page does not come from the API: its status says nothing about the thing asked for.
  const fromApi = !(answer.isHtml && answer.status === 404)
  return new EngineError(`could not ${doing}: ${said} (HTTP ${answer.status})`, {
    ...(hint === undefined ? {} : { hint }),
    ...(fromApi ? { status: answer.status } : {}),
  })
}

/** The error for a request that got no answer at all. */
export function unreachable(
  cause: NoAnswer,
  doing: string,
  address: EngineAddress,
  certainty: Certainty = 'nothing changes',
): EngineError {
  const lost = certainty === 'unknown' && !wasNeverSent(cause)
  const what = lost ? `${cause.message}; ${unknownOutcome}` : cause.message
  return new EngineError(`could not ${doing} at ${address.origin}: ${what}`, {
    cause,
    hint: lost ? unknownHint : connectionHint(cause.code, address),
  })
}

/** The engine's own words for a refusal: the fault's detail without its brackets, never a raw page. */
export function reasonOf(answer: Answer): string {
  if (answer.text.trim() === '') return answer.status === 404 ? 'no such thing' : 'the engine gave no reason'
  const fault = faultIn(answer.text)
  if (fault !== undefined) return fault
  return `the engine answered with a page that says "${oneLine(pageText(answer.text.slice(0, pageCharacters)), 160)}"`
}

/** The reason inside a JSON body that reports a failure, on whatever level the engine put it. */
export function faultIn(text: string): string | undefined {
  let body: unknown
  try {
    body = JSON.parse(text)
  } catch {
    return undefined
  }
  const outer = Array.isArray(body) ? body[0] : body
  const fault = field(outer, 'fault') ?? outer
  // The engine prints a Java list, hence the brackets (ErrorMessageHelper in its restapi).
  const detail = textField(fault, 'detail')?.replace(/^\[([\s\S]*)\]$/, '$1')
  const oauth = textField(fault, 'error_description') ?? textField(fault, 'error')
  const said = detail || oauth || textField(fault, 'reason') || textField(fault, 'error_code')
  return said && (oneLine(said) || undefined)
}

const unknownOutcome = 'it is not known whether the engine accepted it, so it is not repeated'
const unknownHint = 'look at the Events and Tasks of the engine; the next run settles what this one started'
/** True where nothing of the request can have reached the engine. */
export function wasNeverSent({ code }: NoAnswer): boolean {
  return neverSent.has(code) || isTlsTrouble(code)
}

const neverSent = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH'])

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined
}

function textField(value: unknown, name: string): string | undefined {
  const found = field(value, name)
  return typeof found === 'string' && found.trim() !== '' ? found.trim() : undefined
}

function pageText(page: string): string {
  const titles = [...page.matchAll(/<title[^<>]*>([^<]*)<\/title>/gi)].map(([, title = '']) => title)
  return titles.find((title) => title.trim() !== '') ?? withoutScripts(page).replace(/<[^<>]*>/g, ' ')
}

function withoutScripts(page: string): string {
  const [before, ...scripts] = page.split(/<(?:script|style)\b/i)
  return [before, ...scripts.map((one) => one.replace(/^[\s\S]*?<\/(?:script|style)>/i, ' '))].join(' ')
}

function hintFor(answer: Answer): string | undefined {
  if (answer.location !== undefined) {
    const target = oneLine(URL.parse(answer.location)?.origin ?? 'another address', 200)
    return `the engine sends us on to ${target}: write that name into server`
  }
  if (answer.status === 401) return 'the account was refused although it signed on: is it locked or expired?'
  if (answer.status === 403)
    return 'the account needs an administrator role on the whole system, e.g. SuperUser'
  if (answer.status === 404 && answer.isHtml)
    return 'does server name an oVirt engine, and has it finished starting?'
  if (answer.status === 502 || answer.status === 503 || answer.status === 504) {
    return 'is ovirt-engine running? systemctl status ovirt-engine on the engine machine'
  }
  return undefined
}

const selfMade = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'CERT_SIGNATURE_FAILURE',
  'CERT_UNTRUSTED',
])

/** True where the certificate or the TLS talk was at fault, before anything was sent. */
export function isTlsTrouble(code: string): boolean {
  return selfMade.has(code) || /^(CERT_|ERR_TLS_|ERR_SSL_)/.test(code) || code === 'EPROTO'
}

function connectionHint(code: string, address: EngineAddress): string {
  const { host, hostname, port } = new URL(address.origin)
  if (selfMade.has(code)) {
    return (
      `the engine's certificate is not signed by a known CA. Fetch its CA with: curl --insecure -o ca.pem ` +
      `'${address.origin}/ovirt-engine/services/pki-resource?resource=ca-certificate&format=X509-PEM-CA', compare ` +
      `its fingerprint with the engine's, and set ca_file to it. Where the certificate was replaced, see the real ` +
      `chain with: openssl s_client -showcerts -connect ${hostname}:${port || 443}`
    )
  }
  if (code === 'CERT_HAS_EXPIRED')
    return 'renew it with engine-setup on the engine machine, or check the clock here'
  if (code === 'CERT_NOT_YET_VALID') return 'check the clocks of this machine and of the engine'
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return 'the certificate names another host: write into server the name that stands in the certificate'
  }
  if (isTlsTrouble(code)) return `does ${host} speak TLS on this port? check server`
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN')
    return `the name ${hostname} cannot be resolved: check server and DNS`
  if (code === 'ECONNREFUSED')
    return `nothing listens there: is the engine running, and is ${host} the right port?`
  if (code === 'TIMEOUT' || code === 'ETIMEDOUT')
    return `is ${host} reachable from here? check the firewall and the engine's load`
  if (code === 'TOO_LARGE') return 'tell the authors how many VMs this engine has'
  return `check the network to ${host} and whether the engine is running`
}
