import { randomUUID } from 'node:crypto'
import type { Answer, Call } from '../api/call.ts'
import { followLinks } from '../api/follow.ts'
import { type Route, Router } from '../api/router.ts'
import { accessRoutes } from '../routes/access.ts'
import { diskRoutes } from '../routes/disks.ts'
import { emptyRoutes } from '../routes/empty.ts'
import { eventRoutes } from '../routes/events.ts'
import { infraRoutes } from '../routes/infra.ts'
import { jobRoutes } from '../routes/jobs.ts'
import { rootRoutes } from '../routes/root.ts'
import { snapshotRoutes } from '../routes/snapshots.ts'
import { storageRoutes } from '../routes/storage.ts'
import { tagRoutes } from '../routes/tags.ts'
import { vmRoutes } from '../routes/vms.ts'
import type { Document } from '../wire/element.ts'
import { ApiFault, Malformed, Missing } from '../wire/fault.ts'
import { bodyFormat, contentTypeOf, wantedFormat } from '../wire/media.ts'
import { parseInput } from '../wire/parse-input.ts'
import { render } from '../wire/render.ts'
import type { User } from '../world/entities.ts'
import type { World } from '../world/world.ts'
import { answerError, faultAnswer, usageFault } from './errors.ts'

/** A request below the API's root, its user known. */
export interface ApiRequest {
  request: Request
  user: User
  /** Below the root, without the query and matrix parameters. */
  path: string
  query: URLSearchParams
  body: string
  /** What precedes the path in every href: `/ovirt-engine/api` or with `/v4`. */
  root: string
}

const router = new Router(
  rootRoutes,
  vmRoutes,
  snapshotRoutes,
  diskRoutes,
  storageRoutes,
  jobRoutes,
  eventRoutes,
  tagRoutes,
  infraRoutes,
  accessRoutes,
  emptyRoutes,
)
const correlationIdPattern = /^[\w.:-]{1,50}$/

/** Answers a request to the API in the format it asks for. */
export async function answerApi(world: World, given: ApiRequest): Promise<Response> {
  try {
    const format = wantedFormat(given.request.headers.get('accept'))
    const { status, document } = await answerIn(world, given)
    if (document === undefined) return new Response(null, { status })
    const headers = { 'content-type': contentTypeOf(format) }
    return new Response(render(document, format, given.root), { status, headers })
  } catch (error) {
    return answerError(error)
  }
}

async function answerIn(world: World, given: ApiRequest): Promise<Answer> {
  const method = given.request.method === 'HEAD' ? 'GET' : given.request.method
  const found = router.find(method, given.path)
  if (found.kind === 'nothing') return { status: 404 }
  if (found.kind === 'no method') return { status: 405 }
  try {
    checkVersion(given.request)
    const answer = await run(world, given, found.route, found.params)
    const follow = given.query.get('follow')
    if (method === 'GET' && follow && answer.document) {
      await followLinks(answer.document, follow, (href) => fetchInside(world, given, href))
    }
    return answer
  } catch (error) {
    if (error instanceof Malformed)
      return faultAnswer(usageFault(given.request.url, method, found.route.pattern), found.route)
    if (error instanceof ApiFault) return faultAnswer(error, found.route)
    throw error
  }
}

async function run(
  world: World,
  given: ApiRequest,
  route: Route,
  params: Record<string, string>,
): Promise<Answer> {
  const call = callOf(world, given, params)
  const command = route.action || given.request.method === 'DELETE'
  if (!command || given.query.get('async')?.toLowerCase() !== 'true') return route.handler(call)
  // BackendResource.performNonBlockingAction: the command runs by itself, and nobody hears of its refusal.
  try {
    await route.handler(call)
  } catch (error) {
    if (!(error instanceof ApiFault) || error.status === 403) throw error
  }
  return { status: 202, document: { tag: 'action', element: { status: 'pending' } } }
}

/** What an href of one of our own documents stands for. */
async function fetchInside(world: World, given: ApiRequest, href: string): Promise<Document | undefined> {
  const [path = ''] = href.split('?')
  const found = router.find('GET', path)
  if (found.kind !== 'route') return undefined
  try {
    const call = callOf(world, { ...given, query: new URLSearchParams() }, found.params)
    return (await found.route.handler(call)).document
  } catch (error) {
    if (error instanceof Missing || error instanceof ApiFault) return undefined
    throw error
  }
}

function callOf(
  world: World,
  { request, user, query, body }: ApiRequest,
  params: Record<string, string>,
): Call {
  return {
    world,
    user,
    params,
    query,
    filtered: request.headers.get('filter')?.toLowerCase() === 'true' || query.get('filter') === 'true',
    waits: request.headers.get('expect')?.includes('201-created') === true,
    issuer: {
      user: user.id,
      userName: `${user.principal}@${user.domain}`,
      correlationId: correlationIdIn(request, query),
      job: query.get('JobId') ?? query.get('job_id') ?? undefined,
    },
    input: (type) => parseInput(body, bodyFormat(request.headers.get('content-type')), type),
  }
}

/** The client's correlation id, or one of the engine's own. */
function correlationIdIn(request: Request, query: URLSearchParams): string {
  const given = query.get('correlation_id') ?? request.headers.get('correlation-id')
  if (given === null || given === '') return randomUUID()
  if (correlationIdPattern.test(given) || request.method === 'GET') return given
  throw new ApiFault(400, 'Operation Failed', '[The correlation id has more than 50 or special characters.]')
}

function checkVersion(request: Request): void {
  const version = request.headers.get('version')
  if (version !== null && version !== '4') {
    throw new ApiFault(400, 'Invalid version', 'Supported versions are 4')
  }
}
