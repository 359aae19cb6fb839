import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import { ask, type Served } from './an-api.ts'

export type Schema = Record<string, unknown>

interface Content {
  schema: Schema
}

/** One operation of the API's document. */
export interface Operation {
  id: string
  method: string
  path: string
  /** What a token must be allowed; undefined when none is needed. */
  right: string | undefined
  parameters: { name: string; in: 'path' | 'query'; required: boolean; schema: Schema }[]
  body: { required: boolean; schema: Schema } | undefined
  responses: Record<string, { content: Record<string, Content> }>
}

export interface OpenApi {
  openapi: string
  paths: Record<string, Record<string, Described>>
  components: { schemas: Record<string, Schema> }
}

interface Described {
  operationId: string
  summary: string
  security: { token?: string[] }[]
  parameters?: Operation['parameters']
  requestBody?: { required: boolean; content: Record<string, Content> }
  responses: Operation['responses']
}

/** The document as the API gives it. */
export async function documentOf({ socket }: Served): Promise<OpenApi> {
  const { body } = await ask(socket, '/api/v1/openapi.json')
  return JSON.parse(body) as OpenApi
}

/** All there is in it. */
export function operationsIn({ paths }: OpenApi): Operation[] {
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, one]) => ({
      ...{ id: one.operationId, method: method.toUpperCase(), path, right: one.security[0]?.token?.[0] },
      parameters: one.parameters ?? [],
      body: one.requestBody && {
        required: one.requestBody.required,
        schema: one.requestBody.content['application/json']?.schema ?? {},
      },
      responses: one.responses,
    })),
  )
}

/** The path with the values in the places of its parameters. */
export function filledIn(path: string, values: Record<string, string>): string {
  return path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(values[name] ?? name))
}

/** Looks at an answer as the document promises it: by its status, its type and its schema. */
export function judgeBy(document: OpenApi): (operation: Operation, answer: Told) => string[] {
  const ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: true })
  ajv.addSchema({ ...document, $id: 'https://vmbackup.test/api' })
  const compiled = new Map<string, ValidateFunction>()
  return (operation, { status, type, body }) => {
    const response = operation.responses[status] ? String(status) : 'default'
    const declared = operation.responses[response]?.content[type]
    if (declared === undefined) return [`${operation.id}: ${status} as ${type} is not declared`]
    if (type !== 'application/json') return []
    const place = [operation.path, operation.method.toLowerCase(), 'responses', response, 'content', type]
    const pointer = place.map((name) =>
      name.replaceAll('~', '~0').replaceAll('/', '~1').replace(/[{}]/g, encodeURIComponent),
    )
    const reference = `https://vmbackup.test/api#/paths/${pointer.join('/')}/schema`
    const validate = compiled.get(reference) ?? ajv.compile({ $ref: reference })
    compiled.set(reference, validate)
    if (validate(JSON.parse(body))) return []
    return (validate.errors ?? []).map(
      ({ instancePath, message }) => `${operation.id} ${status}${instancePath} ${message}`,
    )
  }
}

interface Told {
  status: number
  type: string
  body: string
}
