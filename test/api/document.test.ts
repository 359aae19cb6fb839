import { Ajv2020 } from 'ajv/dist/2020.js'
import { expect, it } from 'vitest'
import reportSchema from '../../src/run/report.schema.json' with { type: 'json' }
import { served } from './an-api.ts'
import { aReport } from './fake-agent.ts'
import { documentOf, operationsIn } from './the-document.ts'

it('is OpenAPI 3.1 with every route, each under a name of its own and with a summary', async () => {
  const document = await documentOf(await served())
  expect(document.openapi).toMatch(/^3\.1\./)
  const operations = operationsIn(document)
  expect(operations.map(({ method, path }) => `${method} ${path}`).sort()).toEqual([
    'GET /',
    'GET /api/v1/events',
    'GET /api/v1/health',
    'GET /api/v1/jobs',
    'GET /api/v1/jobs/{job}',
    'GET /api/v1/openapi.json',
    'GET /api/v1/points',
    'GET /api/v1/runs',
    'GET /api/v1/runs/{run}',
    'GET /api/v1/status',
    'GET /api/v1/vms',
    'GET /api/v1/vms/{vm}',
    'GET /metrics',
    'POST /api/v1/jobs/{job}/cancel',
    'POST /api/v1/jobs/{job}/pause',
    'POST /api/v1/jobs/{job}/resume',
    'POST /api/v1/jobs/{job}/start',
    'POST /api/v1/vms/protect',
    'POST /api/v1/vms/unprotect',
    'POST /api/v1/vms/{vm}/protect',
    'POST /api/v1/vms/{vm}/unprotect',
  ])
  expect(new Set(operations.map(({ id }) => id)).size).toBe(operations.length)
  for (const methods of Object.values(document.paths)) {
    for (const { summary, security } of Object.values(methods)) {
      expect(summary).not.toBe('')
      expect(security).toBeInstanceOf(Array)
    }
  }
})

it('declares every parameter that stands in a path, and no other as one of a path', async () => {
  for (const { path, parameters } of operationsIn(await documentOf(await served()))) {
    const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name)
    expect(parameters.filter((one) => one.in === 'path').map(({ name }) => name)).toEqual(inPath)
    for (const one of parameters) expect(one.required).toBe(one.in === 'path')
  }
})

it('tells of every answer what it is, and of every failure that it is an Error', async () => {
  for (const { id, responses } of operationsIn(await documentOf(await served()))) {
    const good = Object.keys(responses).filter((status) => status.startsWith('2'))
    expect(good, id).toHaveLength(1)
    for (const [status, { content }] of Object.entries(responses)) {
      expect(Object.keys(content), `${id} ${status}`).toHaveLength(1)
      if (!good.includes(status)) {
        expect(content['application/json']?.schema, id).toEqual({ $ref: '#/components/schemas/Error' })
      }
    }
  }
})

it('has only schemas that can be used, and only references that lead somewhere', async () => {
  const document = await documentOf(await served())
  const ajv = new Ajv2020({ strict: false, validateFormats: false }).addSchema({
    ...document,
    $id: 'https://vmbackup.test/api',
  })
  for (const name of Object.keys(document.components.schemas)) {
    expect(ajv.compile({ $ref: `https://vmbackup.test/api#/components/schemas/${name}` })).toBeTypeOf(
      'function',
    )
  }
  const known = new Set(
    Object.keys(document.components.schemas).map((name) => `#/components/schemas/${name}`),
  )
  const used = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)].map(
    ([, reference]) => reference ?? '',
  )
  expect(used.filter((reference) => !known.has(reference))).toEqual([])
  const named = new Set(used)
  // An event stream has no schema for its pieces in OpenAPI 3.1; Event is there for whoever reads the description.
  expect([...known].filter((name) => !named.has(name))).toEqual(['#/components/schemas/Event'])
})

it('has all of the schema of reports', async () => {
  const document = await documentOf(await served())
  const { Report } = document.components.schemas
  expect(Report?.['required']).toEqual(reportSchema.$defs.report.required)
  expect(Report?.['allOf']).toHaveLength(reportSchema.$defs.report.allOf.length)
  const ajv = new Ajv2020({ strict: false, validateFormats: false }).addSchema({
    ...document,
    $id: 'https://vmbackup.test/api',
  })
  const validate = ajv.compile({ $ref: 'https://vmbackup.test/api#/components/schemas/Report' })
  const report = aReport('20261121T120000Z-0a1b2c3d')
  expect(validate(report)).toBe(true)
  expect(validate({ ...report, outcome: 'partly protected' })).toBe(false)
})
