import type { FastifyDynamicSwaggerOptions } from '@fastify/swagger'
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod'
import { z } from 'zod'
import {
  JobView,
  PairView,
  PointView,
  RunProgress,
  RunSummary,
  StatusView,
  TroubleView,
  VmView,
} from '../agent/view.ts'
import reportSchema from '../run/report.schema.json' with { type: 'json' }
import { ErrorView, EventView, HealthView, ReportView, RootView, StartView } from './shapes.ts'

type Json = Record<string, unknown>
interface Body {
  required: boolean
  content: Record<string, { schema: Json & { anyOf?: Json[] } }>
}
/** Of the document only what is changed here. */
interface Document {
  paths: Record<string, Record<string, { requestBody?: Body }>>
  components: Json & { schemas: Json }
}

// The registry of zod is that of the whole process.
const named = [
  ...[ErrorView, HealthView, RootView, StartView, ReportView, EventView, StatusView, JobView, VmView],
  ...[PairView, RunSummary, RunProgress, PointView, TroubleView],
].map((view) => view.meta()?.id)

/** How routes become the document: OpenAPI 3.1, with what the views are called as its components. */
export function documentOptions(version: string): FastifyDynamicSwaggerOptions {
  return {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'vmbackup',
        description: 'What the agent knows, and what it can be told to do.',
        version,
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } as { name: string },
      },
      servers: [{ url: '/' }],
      tags: [
        { name: 'agent', description: 'The agent itself' },
        { name: 'jobs', description: 'Jobs and their runs' },
        { name: 'vms', description: 'VMs and their protection' },
      ],
      components: {
        securitySchemes: {
          token: {
            type: 'http',
            scheme: 'bearer',
            description:
              'A token of `vmbackup token`, with the right to read, or to operate, too. On the unix socket none is needed.',
          },
        },
      },
    },
    transform: jsonSchemaTransform,
    transformObject: (given) => {
      const document = jsonSchemaTransformObject(given) as unknown as Document
      for (const path of Object.values(document.paths))
        for (const { requestBody } of Object.values(path)) relax(requestBody)
      const { schemas, ...others } = document.components
      const used = Object.entries(schemas).filter(([name]) => named.includes(name))
      const all = { ...Object.fromEntries(used), ...ofReport() }
      return { ...document, components: { ...others, schemas: all } } as ReturnType<
        typeof jsonSchemaTransformObject
      >
    },
  }
}

/** A body that may be null is one that need not be sent: for that the document has a word of its own. */
function relax(body: Body | undefined): void {
  const json = body?.content['application/json']
  const [schema, nothing] = json?.schema.anyOf ?? []
  if (body === undefined || json === undefined || nothing?.['type'] !== 'null') return
  body.required = false
  json.schema = { ...schema }
}

/** The report's own schema as components: what stands in it as `#/$defs/vm` is `ReportVm` here. */
function ofReport(): Json {
  const nameOf = (def: string) =>
    def === 'report' ? 'Report' : `Report${def[0]?.toUpperCase()}${def.slice(1)}`
  const { noRun: _, ...defs } = reportSchema.$defs
  const text = JSON.stringify(
    Object.fromEntries(Object.entries(defs).map(([def, schema]) => [nameOf(def), schema])),
  )
  return JSON.parse(text, (key, value) =>
    key === '$ref' ? `#/components/schemas/${nameOf(String(value).replace('#/$defs/', ''))}` : value,
  ) as Json
}

interface Described<P, Q, B> {
  operationId: string
  tags: ['agent' | 'jobs' | 'vms']
  summary: string
  description?: string
  params?: P
  querystring?: Q
  body?: B
  /** What a good answer is; its status is 200 unless there is another. */
  answer?: z.ZodType
  status?: 200 | 202
  /** A good answer that is no JSON. */
  text?: { type: string; description: string }
}

const failures = {
  400: 'The request is wrong.',
  401: 'There is no token, or none that is known.',
  403: 'The token may read only.',
  404: 'There is none of that name.',
  409: 'It cannot be done now.',
  502: 'The engine refused, or did not answer.',
  503: 'The agent hangs, ends, or has too many listeners.',
  504: 'It took too long.',
}
type Failing = keyof typeof failures

/** The schema of a route: what it takes, and every answer that it gives. */
export function documented<P = undefined, Q = undefined, B = undefined>(
  right: 'none' | 'read' | 'operate',
  { answer, status = 200, text, ...described }: Described<P, Q, B>,
) {
  const good = text
    ? { description: text.description, content: { [text.type]: { schema: z.string() } } }
    : { description: 'Done.', content: json(answer ?? z.unknown()) }
  const failing = Object.keys(failures)
    .map((code) => Number(code) as Failing)
    .filter((code) => canFail(code, right, described))
  const bad = failing.map((code) => [code, { description: failures[code], content: json(ErrorView) }])
  const response: Record<string, unknown> = {
    [status]: good,
    ...Object.fromEntries(bad),
    default: { description: 'Anything else that went wrong.', content: json(ErrorView) },
  }
  const schema = { ...described, security: right === 'none' ? [] : [{ token: [right] }], response }
  // fastify takes a key that is there and undefined for one that is not; its types do not.
  return schema as typeof schema & { params: P; querystring: Q; body: B }
}

function canFail(
  code: Failing,
  right: string,
  { params, querystring, body }: { params?: unknown; querystring?: unknown; body?: unknown },
): boolean {
  if (code === 400) return params !== undefined || querystring !== undefined || body !== undefined
  if (code === 401) return right !== 'none'
  if (code === 403 || code === 409) return right === 'operate'
  if (code === 502 || code === 504) return body !== undefined
  return code === 404 ? params !== undefined || querystring !== undefined : true
}

function json(schema: z.ZodType) {
  return { 'application/json': { schema } }
}
