import { HttpResponse, http, type RequestHandler } from 'msw'
import { setupServer } from 'msw/node'
import { afterAll, afterEach, beforeAll } from 'vitest'
import type { StorageDomain } from '../../src/model/vm.ts'
import type { EngineConfig } from '../../src/ovirt/engine.ts'

export const origin = 'https://engine.test'
export const api = `${origin}/ovirt-engine/api`

/** What an engine was sent, in order. */
interface Seen {
  method: string
  /** Path below the API with its query, decoded. */
  path: string
  headers: Headers
  body: string
}

/** An msw server for one test file: sign-on works, and every request is kept. */
export function useFakeEngine() {
  const seen: Seen[] = []
  const server = setupServer()
  let tokens = 0

  const signOn = http.post(`${origin}/ovirt-engine/sso/oauth/token`, () => {
    tokens += 1
    return HttpResponse.json({ access_token: `token-${tokens}`, token_type: 'bearer', exp: '9' })
  })
  const signOff = http.post(`${origin}/ovirt-engine/services/sso-logout`, () => HttpResponse.json({}))

  // Answers nothing, so that the next handler is asked; awaited, so that the body is there when the answer is.
  const record = http.all('*', async ({ request }) => {
    const url = new URL(request.url)
    const path = decodeURIComponent(
      url.pathname.replace('/ovirt-engine', '') + url.search.replaceAll('+', ' '),
    )
    seen.push({ method: request.method, path, headers: request.headers, body: await request.clone().text() })
  })

  beforeAll(() => server.listen({ onUnhandledFrame: 'error' }))
  afterEach(() => {
    server.resetHandlers()
    seen.length = 0
    tokens = 0
  })
  afterAll(() => server.close())

  return {
    seen,
    /** The requests to the API itself, e.g. `GET /api/vms?max=1`. */
    apiCalls: () =>
      seen.filter(({ path }) => path.startsWith('/api')).map(({ method, path }) => `${method} ${path}`),
    /** What the API was sent, request by request. */
    bodies: () =>
      seen.filter(({ path }) => path.startsWith('/api')).map(({ body }) => body && JSON.parse(body)),
    signOns: () => tokens,
    answers(...handlers: RequestHandler[]) {
      server.use(record, ...handlers, signOn, signOff)
    },
  }
}

/** A configuration whose clock passes only while it sleeps. */
export function config(changes: Partial<EngineConfig> = {}): EngineConfig & { slept: () => number } {
  let time = 0
  return {
    server: api,
    user: 'admin@internal',
    password: async () => 'se cret&',
    verifyTls: true,
    now: () => time,
    sleep: async (ms) => {
      time += ms
    },
    slept: () => time,
    ...changes,
  }
}

export const noSignal = new AbortController().signal

/** Answers one after the other; the last one stays. */
export function inTurn(...answers: (() => Response)[]): () => Response {
  let next = 0
  return () => {
    const answer = answers[Math.min(next, answers.length - 1)]
    next += 1
    if (answer === undefined) throw new Error('no answer given')
    return answer()
  }
}

/** A refusal as the engine writes it. */
export function fault(status: number, detail: string): Response {
  return HttpResponse.json({ reason: 'Operation Failed', detail: `[${detail}]` }, { status })
}

export const json = (body: object, status = 200) => HttpResponse.json(body, { status })

export const domain: StorageDomain = {
  id: 'sd1',
  name: 'vmstore',
  type: 'glusterfs',
  address: 'g1',
  path: '/v',
  dataCenterId: 'dc1',
}

/** What an engine tells of a VM with one disk when it is asked to follow its links. */
export const partsOf = (domainId: string) => ({
  disk_attachments: {
    disk_attachment: [
      {
        active: 'true',
        disk: {
          id: 'd',
          storage_type: 'image',
          image_id: 'v',
          storage_domains: { storage_domain: [{ id: domainId }] },
        },
      },
    ],
  },
  snapshots: {},
})

/** A VM as a row of the engine's list. */
export const aVmRow = (id: string, domainId = 'sd1') => ({
  id,
  name: `vm-${id}`,
  status: 'up',
  ...partsOf(domainId),
})
