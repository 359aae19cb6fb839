import { act } from '../world/acts.ts'
import type { Fault, HttpEffect } from '../world/faults.ts'
import type { World } from '../world/world.ts'
import { unauthorized } from './sign-on.ts'

type HttpFault = Extract<Fault, HttpEffect>

/** Lets the faults ordered for this request strike; an answer ends it, undefined lets it go on. */
export async function strikeRequest(
  world: World,
  at: 'request' | 'response',
  request: { method: string; path: string },
): Promise<Response | undefined> {
  // Several may fit one request: a delay, then a drop.
  const seen = new Set<HttpFault>()
  for (;;) {
    const fault = world.faults.take({ at, fits: (each) => !seen.has(each) && fits(each, request) })
    if (fault === undefined) return undefined
    seen.add(fault)
    const answer = await strike(world, fault)
    if (answer) return answer
  }
}

function fits({ match }: HttpFault, { method, path }: { method: string; path: string }): boolean {
  const whole = (pattern: string | undefined, text: string) =>
    pattern === undefined || new RegExp(`^(?:${pattern})$`, 'i').test(text)
  return whole(match.method, method) && whole(match.path, path)
}

async function strike(world: World, { effect }: HttpFault): Promise<Response | undefined> {
  switch (effect.kind) {
    case 'status':
      return new Response(effect.body ?? '<html><body>Service Unavailable</body></html>', {
        status: effect.status,
        headers: { 'content-type': effect.contentType ?? 'text/html;charset=UTF-8' },
      })
    case 'conflict': {
      const detail = `[${effect.detail ?? 'Related operation is currently in progress. Please try again later.'}]`
      return Response.json({ reason: 'Operation Failed', detail }, { status: 409 })
    }
    case 'html 401':
      return unauthorized()
    case 'drop':
      return Response.error()
    case 'delay':
      await world.sleep(effect.ms)
      return undefined
    case 'vm':
      await act(world, effect.vm, effect.act, { reason: effect.reason })
      return undefined
  }
}
