import { answerApi } from './http/api.ts'
import { html } from './http/errors.ts'
import { strikeRequest } from './http/request-faults.ts'
import { RequestLog, withoutSecrets } from './http/request-log.ts'
import { SignOn, unauthorized } from './http/sign-on.ts'
import type { World } from './world/world.ts'

export interface EngineOptions {
  world: World
  log?: RequestLog
  signOn?: SignOn
  /** PEM of the CA that the engine gives out; absent: 404. */
  caCertificate?: string
  /** No fault of a request strikes here. */
  spared?: boolean
}

const apiRoot = '/ovirt-engine/api'

/** One function that answers every request as an oVirt engine would; for msw, for a port, for a demo. */
export function createEngine({
  world,
  log = new RequestLog(),
  signOn = new SignOn(world),
  caCertificate,
  spared = false,
}: EngineOptions): (request: Request) => Promise<Response> {
  return async (request) => {
    const at = world.clock.now()
    const url = new URL(request.url)
    const body = await request.clone().text()
    const path = url.pathname + url.search
    const asked = { method: request.method, path }
    const strike = async (at: 'request' | 'response') =>
      spared ? undefined : strikeRequest(world, at, asked)
    const served = (await strike('request')) ?? (await serve(request, url, body))
    const response = (await strike('response')) ?? served
    log.add({
      at,
      method: request.method,
      path: withoutSecrets(path),
      status: response.status,
      user: signOn.identify(request)?.user.login,
      correlationId: url.searchParams.get('correlation_id') ?? undefined,
      body: body === '' ? undefined : withoutSecrets(body),
    })
    return response
  }

  async function serve(request: Request, url: URL, body: string): Promise<Response> {
    const path = url.pathname.replace(/\/+$/, '')
    if (path === '/ovirt-engine/sso/oauth/token' && request.method === 'POST')
      return signOn.issueToken(request)
    if (path === '/ovirt-engine/services/sso-logout') return signOn.revoke(request)
    if (path === '/ovirt-engine/services/pki-resource') return pkiResource(url)
    if (path === apiRoot || path.startsWith(`${apiRoot}/`)) return serveApi(request, url, path, body)
    return html(404, 'Not Found')
  }

  async function serveApi(request: Request, url: URL, whole: string, body: string): Promise<Response> {
    const identified = signOn.identify(request)
    if (identified === undefined) return unauthorized()
    // A version in the URL comes back in every href.
    const root = /^\/ovirt-engine\/api\/v4(\/|$)/.test(whole) ? `${apiRoot}/v4` : apiRoot
    const { path, query } = withoutMatrix(decodeURI(whole.slice(root.length)), url.searchParams)
    const response = await answerApi(world, { request, user: identified.user, path, query, body, root })
    if (identified.session) {
      response.headers.append(
        'set-cookie',
        `JSESSIONID=${identified.session}; path=/ovirt-engine/api; secure; HttpOnly`,
      )
    }
    return response
  }

  function pkiResource(url: URL): Response {
    if (url.searchParams.get('resource') !== 'ca-certificate' || caCertificate === undefined)
      return html(404, 'Not Found')
    return new Response(caCertificate, { headers: { 'content-type': 'application/x-x509-ca-cert' } })
  }
}

/** Matrix parameters (`/events;from=10`, `/vms;max=5`) count as query parameters. */
function withoutMatrix(path: string, given: URLSearchParams): { path: string; query: URLSearchParams } {
  const query = new URLSearchParams(given)
  const plain = path.replaceAll(/;([^/;=]+)(?:=([^/;]*))?/g, (_, name: string, value?: string) => {
    query.set(name, value ?? '')
    return ''
  })
  return { path: plain, query }
}
