import { z } from 'zod'
import type { RequestLog } from './http/request-log.ts'
import type { SignOn } from './http/sign-on.ts'
import { createOtherClient } from './other-client.ts'
import { act } from './world/acts.ts'
import type { Disk, Vm } from './world/entities.ts'
import type { FaultSpec } from './world/faults.ts'
import { tickOvfTimer } from './world/ovf-store.ts'
import { pauseReasons, vmActs } from './world/vm-acts.ts'
import type { World } from './world/world.ts'

/** What a control route is given: the path's variable parts, in order, and the body (undefined when empty). */
interface ControlCall {
  params: string[]
  query: URLSearchParams
  body: unknown
}

export interface ControlRoute {
  method: string
  /** Matched against the whole path; its groups are the parameters. */
  path: RegExp
  /** The answer's JSON; undefined is 204. */
  handle(call: ControlCall): unknown
}

export interface ControlOptions {
  world: World
  log: RequestLog
  signOn: SignOn
  /** Routes of other parts of the lab, such as its writers'. */
  routes?: readonly ControlRoute[]
}

const times = { times: z.int().min(0).optional(), skip: z.int().min(0).optional() }
const vm = z.string().optional()
const httpEffect = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('status'),
    status: z.int(),
    body: z.string().optional(),
    contentType: z.string().optional(),
  }),
  z.strictObject({ kind: z.literal('conflict'), detail: z.string().optional() }),
  z.strictObject({ kind: z.literal('html 401') }),
  z.strictObject({ kind: z.literal('drop') }),
  z.strictObject({ kind: z.literal('delay'), ms: z.number() }),
  z.strictObject({
    kind: z.literal('vm'),
    vm: z.string(),
    act: z.enum(vmActs),
    reason: z.enum(pauseReasons).optional(),
  }),
])
const faultSchema = z.discriminatedUnion('at', [
  z.strictObject({
    at: z.enum(['request', 'response']),
    match: z.strictObject({ method: z.string().optional(), path: z.string().optional() }),
    effect: httpEffect,
    ...times,
  }),
  z.strictObject({ at: z.literal('snapshot'), effect: z.literal('fails'), vm, ...times }),
  z.strictObject({ at: z.literal('live'), effect: z.enum(['fails', 'fails in use']), vm, ...times }),
  z.strictObject({
    at: z.literal('merge'),
    effect: z.enum(['fails', 'fails late', 'never ends', 'row stays']),
    vm,
    disk: z.string().optional(),
    ...times,
  }),
  z.strictObject({
    at: z.literal('freeze'),
    effect: z.enum(['fails', 'fails frozen', 'hangs']),
    ms: z.number().optional(),
    vm,
    ...times,
  }),
  z.strictObject({ at: z.literal('job'), effect: z.literal('vanishes'), ...times }),
  z.strictObject({ at: z.literal('ovf'), effect: z.literal('fails'), ...times }),
])

const apiOrder = z.strictObject({ method: z.string(), path: z.string(), body: z.unknown().optional() })
const actDetails = z.strictObject({ reason: z.enum(pauseReasons).optional() })

/** The lab's own API, apart from oVirt's: look at the world, order faults, act on VMs from outside. JSON only. */
export function createControl(options: ControlOptions): (request: Request) => Promise<Response> {
  const table = [...ownRoutes(options), ...(options.routes ?? [])]
  return async (request) => {
    const { pathname, searchParams: query } = new URL(request.url)
    const route = table.find(({ method, path }) => method === request.method && matches(path, pathname))
    if (route === undefined)
      return Response.json({ error: `no ${request.method} ${pathname}` }, { status: 404 })
    try {
      const text = await request.text()
      const params = (route.path.exec(pathname) ?? []).slice(1).map(decodeURIComponent)
      const answer = await route.handle({ params, query, body: text === '' ? undefined : JSON.parse(text) })
      return answer === undefined ? new Response(null, { status: 204 }) : Response.json(answer)
    } catch (error) {
      return Response.json({ error: error instanceof Error ? error.message : String(error) }, { status: 400 })
    }
  }
}

function matches(path: RegExp, text: string): boolean {
  const found = path.exec(text)
  return found !== null && found[0] === text
}

function ownRoutes({ world, log, signOn }: ControlOptions): ControlRoute[] {
  const other = createOtherClient(world)
  return [
    { method: 'GET', path: /\/ready/, handle: () => ({ ready: true, version: world.settings.version }) },
    {
      method: 'GET',
      path: /\/requests/,
      handle: ({ query }) => ({ requests: query.has('changes') ? log.changes() : log.entries() }),
    },
    { method: 'DELETE', path: /\/requests/, handle: () => log.clear() },
    { method: 'GET', path: /\/faults/, handle: () => ({ faults: world.faults.list() }) },
    {
      method: 'POST',
      path: /\/faults/,
      handle: ({ body }) => world.faults.arm(faultSchema.parse(body) as FaultSpec),
    },
    { method: 'DELETE', path: /\/faults/, handle: () => world.faults.clear() },
    { method: 'DELETE', path: /\/faults\/([^/]+)/, handle: ({ params }) => world.faults.clear(params[0]) },
    { method: 'GET', path: /\/tokens/, handle: () => ({ tokens: signOn.issued() }) },
    { method: 'DELETE', path: /\/tokens/, handle: () => signOn.expireAll() },
    { method: 'GET', path: /\/world/, handle: () => summaryOf(world) },
    {
      method: 'POST',
      path: /\/vms\/([^/]+)\/([a-z-]+)/,
      handle: ({ params: [name = '', what], body = {} }) =>
        act(world, name, z.enum(vmActs).parse(what), actDetails.parse(body)),
    },
    { method: 'POST', path: /\/api/, handle: ({ body }) => other(apiOrder.parse(body)) },
    { method: 'POST', path: /\/ovf-timer/, handle: async () => ({ domains: await tickOvfTimer(world) }) },
  ]
}

/** The world in a few words per thing. */
function summaryOf(world: World) {
  return {
    vms: [...world.vms.values()].map((each) => vmSummary(world, each)),
    domains: [...world.domains.values()].map(({ id, name, status, storage, ovfStores }) => ({
      id,
      name,
      status,
      storage,
      onHost: world.hostDomains.includes(id),
      ovfStores: ovfStores.map((image) => ({ image, volume: world.disks.get(image)?.volumes[0]?.id })),
    })),
    dataCenters: [...world.dataCenters.values()],
    brokenWork: world.brokenWork.map(String),
  }
}

function vmSummary(world: World, { id, name, status, origin, lock, snapshots, attachments }: Vm) {
  return {
    id,
    name,
    status,
    origin,
    locked: lock !== undefined,
    disks: [...attachments.values()].flatMap(({ disk, plugged }) =>
      diskSummary(world.disks.get(disk), plugged),
    ),
    snapshots: snapshots.map((each) => ({
      id: each.id,
      description: each.description,
      type: each.type,
      status: each.status,
      disks: Object.fromEntries(each.disks),
    })),
  }
}

function diskSummary(disk: Disk | undefined, plugged: boolean) {
  if (disk === undefined) return []
  const { id, alias, domain, storageType, shareable, status, sizeBytes, volumes } = disk
  const chain = volumes.map(({ id: volume, format, status: state }) => ({ volume, format, status: state }))
  return [{ image: id, alias, domain, storageType, shareable, plugged, status, sizeBytes, chain }]
}
