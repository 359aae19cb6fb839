import { randomBytes } from 'node:crypto'
import type { User } from '../world/entities.ts'
import type { World } from '../world/world.ts'

interface Session {
  user: User
  used: number
}

/** Tokens and sessions of the engine's sign-on; an idle one expires. */
export class SignOn {
  readonly #world: World
  readonly #sessions = new Map<string, Session>()
  readonly #issued: string[] = []

  constructor(world: World) {
    this.#world = world
  }

  /** The token endpoint. Refusals are 400, also that of a wrong password. */
  async issueToken(request: Request): Promise<Response> {
    // SsoService compares the header's text; a list that contains the type is refused.
    if (request.headers.get('accept') !== 'application/json') {
      return refusal('invalid_request', 'Missing or wrong Accept header: application/json expected.')
    }
    const form = await formOf(request)
    if (form.get('grant_type') !== 'password') {
      return refusal('unsupported_grant_type', `Unsupported grant type '${form.get('grant_type') ?? ''}'.`)
    }
    const scope = form.get('scope')
    if (scope === null || !scope.split(' ').includes('ovirt-app-api')) {
      return refusal('invalid_scope', 'The required scope ovirt-app-api is missing.')
    }
    const login = form.get('username') ?? ''
    const user = this.#userOf(login, form.get('password') ?? '')
    if (user === undefined) {
      return refusal(
        'access_denied',
        `Cannot authenticate user '${login}': the user name or password is wrong.`,
      )
    }
    const token = this.#open(user)
    const exp = this.#world.clock.now().getTime() + this.#world.settings.timings.tokenIdle
    return json(200, { access_token: token, scope, exp: String(exp), token_type: 'bearer' })
  }

  /** The log-out endpoint; unknown tokens are no error. */
  async revoke(request: Request): Promise<Response> {
    const form = await formOf(request)
    this.#sessions.delete(form.get('token') ?? '')
    return json(200, {})
  }

  /** Who sends a request; undefined means 401. `session` is a cookie to keep, when one was asked for. */
  identify(request: Request): { user: User; session?: string } | undefined {
    const authorization = request.headers.get('authorization') ?? ''
    const [scheme = '', credentials = ''] = authorization.split(/\s+/)
    if (scheme.toLowerCase() === 'bearer') return this.#bySession(credentials)
    if (scheme.toLowerCase() === 'basic') return this.#byPassword(request, credentials)
    const cookie = /(?:^|;\s*)JSESSIONID=([^;]+)/.exec(request.headers.get('cookie') ?? '')?.[1]
    return cookie === undefined ? undefined : this.#bySession(cookie)
  }

  /** Every token there ever was, so that a test can look where they went. */
  issued(): readonly string[] {
    return this.#issued
  }

  /** Ends every session, as a restart of the engine does. */
  expireAll(): void {
    this.#sessions.clear()
  }

  #byPassword(request: Request, credentials: string) {
    const [login = '', ...password] = Buffer.from(credentials, 'base64').toString('utf8').split(':')
    const user = this.#userOf(login, password.join(':'))
    if (user === undefined) return undefined
    const keep = request.headers.get('prefer')?.includes('persistent-auth') === true
    return keep ? { user, session: this.#open(user) } : { user }
  }

  #bySession(token: string): { user: User } | undefined {
    const session = this.#sessions.get(token)
    if (session === undefined) return undefined
    const now = this.#world.clock.now().getTime()
    if (now - session.used > this.#world.settings.timings.tokenIdle) {
      this.#sessions.delete(token)
      return undefined
    }
    session.used = now
    return { user: session.user }
  }

  #open(user: User): string {
    const token = randomBytes(48).toString('base64url')
    this.#sessions.set(token, { user, used: this.#world.clock.now().getTime() })
    this.#issued.push(token)
    return token
  }

  #userOf(login: string, password: string): User | undefined {
    return [...this.#world.users.values()].find((user) => user.login === login && user.password === password)
  }
}

/** 401 as the engine's filter sends it: HTML, whatever was asked for. */
export function unauthorized(): Response {
  const text = 'invalid_grant: The provided authorization grant for the auth code has expired.'
  return new Response(`<html><head><title>Error</title></head><body>${text}</body></html>`, {
    status: 401,
    headers: { 'www-authenticate': 'Basic realm="RESTAPI"', 'content-type': 'text/html;charset=UTF-8' },
  })
}

async function formOf(request: Request): Promise<URLSearchParams> {
  const form = new URLSearchParams(await request.text())
  // Parameters may stand in the URL too, as in any servlet.
  for (const [name, value] of new URL(request.url).searchParams) if (!form.has(name)) form.set(name, value)
  return form
}

function refusal(code: string, error: string): Response {
  return json(400, { error_code: code, error })
}

function json(status: number, body: object): Response {
  return new Response(JSON.stringify(body), {
    status,
    headers: { 'content-type': 'application/json;charset=UTF-8' },
  })
}
