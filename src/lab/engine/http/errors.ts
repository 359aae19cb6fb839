import type { Answer } from '../api/call.ts'
import type { Route } from '../api/router.ts'
import type { Element } from '../wire/element.ts'
import { ApiFault, Missing, Unsupported } from '../wire/fault.ts'

/** A fault as the body it becomes: nested in an action where the URL is an action's. */
export function faultAnswer(fault: ApiFault, route: Pick<Route, 'action'>): Answer {
  const element: Element = {
    ...(fault.detail === undefined ? {} : { detail: fault.detail }),
    reason: fault.reason,
  }
  const document = route.action
    ? { tag: 'action', element: { status: 'failed', fault: element } }
    : { tag: 'fault', element }
  return { status: fault.status, document }
}

/** What a body that cannot be read is answered with: where to read how it is done. */
export function usageFault(url: string, method: string, pattern: string): ApiFault {
  const { origin } = new URL(url)
  const segments = pattern.split('/').filter((segment) => segment !== '')
  const last = segments.at(-1) ?? ''
  const names: Readonly<Record<string, string>> = { POST: 'add', PUT: 'update', GET: 'get', DELETE: 'remove' }
  const link = `${origin}/ovirt-engine/apidoc#services/${last}/methods/${names[method] ?? method.toLowerCase()}`
  return new ApiFault(400, 'Request syntactically incorrect.', `For correct usage, see: ${link}`)
}

/** Errors that have no fault: an empty 404, 406, 415, and 500 for what should not happen, in HTML. */
export function answerError(error: unknown): Response {
  if (error instanceof Missing) return new Response(null, { status: 404 })
  if (error instanceof Unsupported) return new Response(null, { status: error.status })
  return html(500, 'Internal Server Error')
}

export function html(status: number, text: string): Response {
  return new Response(`<html><head><title>Error</title></head><body>${text}</body></html>`, {
    status,
    headers: { 'content-type': 'text/html;charset=UTF-8' },
  })
}
