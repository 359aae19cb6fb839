import fc, { type Arbitrary } from 'fast-check'
import type { OpenApi, Operation, Schema } from './the-document.ts'

/** What the fake agent knows, so that some of what is generated hits something. */
const knownWords = ['nightly', 'hourly', 'web01', 'db01', 'gold', 'silver', 'ok', '20261121T120000Z-0a1b2c3d']

const hostileWords = [
  ...[
    '',
    ' ',
    '.',
    '..',
    '../../etc/passwd',
    '/',
    '\\',
    '%',
    '%00',
    '\0',
    '\n',
    '\r\nX: y',
    '\u202e',
    '\ud800',
    '\uffff',
  ],
  ...[
    '__proto__',
    'constructor',
    'toString',
    '*',
    '?',
    '#',
    '&a=b',
    "' OR 1=1 --",
    '<script>',
    '-1',
    '1e309',
    'NaN',
  ],
  ...['null', 'true', '[]', '{}', '0x10', '9'.repeat(400), 'a'.repeat(256), 'é'.repeat(300), '🙂'.repeat(70)],
]

/** Text that is likely to be something, or to hurt. */
const anyText: Arbitrary<string> = fc.oneof(
  fc.constantFrom(...knownWords),
  fc.constantFrom(...hostileWords),
  fc.string({ unit: 'binary', maxLength: 300 }),
)

/** Values that a schema allows. */
function valid(schema: Shape, document: OpenApi): Arbitrary<unknown> {
  const { type = '', enum: values, $ref } = schema
  if ($ref !== undefined)
    return valid(document.components.schemas[$ref.split('/').at(-1) ?? ''] ?? {}, document)
  if (values !== undefined) return fc.constantFrom(...values)
  const make = makers[type]
  if (make === undefined) throw new Error(`nothing is known of the schema ${JSON.stringify(schema)}`)
  return make(schema, document)
}

const makers: Record<string, (schema: Shape, document: OpenApi) => Arbitrary<unknown>> = {
  string: ({ pattern, minLength = 0, maxLength = 300 }) =>
    pattern === undefined
      ? anyText.filter(({ length }) => length >= minLength && length <= maxLength)
      : fc.stringMatching(new RegExp(pattern)),
  integer: ({ minimum = -(2 ** 53), maximum = 2 ** 53 }) => fc.integer({ min: minimum, max: maximum }),
  array: ({ items = {}, minItems = 0 }, document) =>
    fc.array(valid(items, document), { minLength: minItems, maxLength: minItems + 4 }),
  object: ({ properties = {}, required = [] }, document) =>
    fc.record(
      Object.fromEntries(Object.entries(properties).map(([name, one]) => [name, valid(one, document)])),
      { requiredKeys: required },
    ),
}

interface Shape {
  type?: string
  enum?: unknown[]
  properties?: Record<string, Schema>
  items?: Schema
  $ref?: string
  pattern?: string
  minLength?: number
  maxLength?: number
  minimum?: number
  maximum?: number
  minItems?: number
  required?: string[]
}

export interface Call {
  path: Record<string, string>
  query: [string, string][]
  body: string | undefined
  contentType: string | undefined
}

/** A call as the document asks for it. */
export function goodCall({ parameters, body }: Operation, document: OpenApi): Arbitrary<Call> {
  const of = (place: 'path' | 'query') =>
    fc.record(
      Object.fromEntries(
        parameters
          .filter((one) => one.in === place)
          .map(({ name, schema }) => [name, valid(schema, document).map(String)]),
      ),
      place === 'path' ? {} : { requiredKeys: [] },
    ) as Arbitrary<Record<string, string>>
  const sent =
    body === undefined
      ? fc.constant(undefined)
      : fc.option(valid(body.schema, document), { nil: undefined, freq: body.required ? 1e9 : 3 })
  return fc
    .record({ path: of('path'), query: of('query').map((all) => Object.entries(all)), body: sent })
    .map(({ path, query, body: data }) => ({
      path,
      query,
      body: data === undefined ? undefined : JSON.stringify(data),
      contentType: data === undefined ? undefined : 'application/json',
    }))
}

/** A call that means harm, or was typed wrong. */
export function hostileCall({ parameters, body }: Operation): Arbitrary<Call> {
  const names = parameters.map(({ name }) => name)
  const fields = Object.keys((body?.schema['properties'] ?? {}) as object)
  const anything = fc.oneof(anyText, fc.jsonValue({ maxDepth: 4 }), fc.array(anyText, { maxLength: 5 }))
  const json = fc.oneof(
    anything,
    fc.dictionary(fc.constantFrom(...fields, '__proto__', 'constructor', 'x'), anything, { maxKeys: 4 }),
  )
  return fc.record({
    path: fc.record(Object.fromEntries(names.map((name) => [name, anyText]))),
    query: fc.array(
      fc.tuple(fc.oneof(fc.constantFrom('job', 'limit', 'rpo', 'name', ...names), anyText), anyText),
      { maxLength: 5 },
    ),
    body: fc.option(fc.oneof({ weight: 3, arbitrary: json.map((value) => JSON.stringify(value)) }, anyText), {
      nil: undefined,
    }),
    contentType: fc.option(
      fc.oneof(
        { weight: 4, arbitrary: fc.constant('application/json') },
        fc.constantFrom(
          'text/plain',
          'application/x-www-form-urlencoded',
          'application/json; charset=utf-16',
          'x',
          '',
        ),
      ),
      { nil: undefined },
    ),
  })
}
