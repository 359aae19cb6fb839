import { XMLParser } from 'fast-xml-parser'
import { afterEach, expect, test, vi } from 'vitest'
import { anEngine, diskOf, type Lab, takeSnapshot } from './engine-support.ts'

afterEach(() => void vi.useRealTimers())

test('booleans and integers are strings in JSON, dates are epoch milliseconds', async () => {
  const lab = await anEngine()
  const disk = await diskOf(lab, 'vm1')
  expect(disk).toMatchObject({ shareable: 'false', provisioned_size: '67108864' })
  const { json } = await lab.admin('GET', `/vms/${lab.vm('vm1').id}`)
  expect(json.creation_time).toBe(lab.vm('vm1').created.getTime())
})

test('an empty list is an empty object in JSON and an empty element in XML', async () => {
  const { admin } = await anEngine()
  expect((await admin('GET', '/jobs')).json).toEqual({})
  expect((await admin('GET', '/jobs', undefined, { accept: 'application/xml' })).text).toMatch(/<jobs\/>$/)
})

test('XML is the answer when the client names no type', async () => {
  const { admin } = await anEngine()
  for (const accept of ['', '*/*', 'application/xml', 'text/html;q=0.5, application/xml']) {
    const { headers } = await admin('GET', '/clusters', undefined, { accept })
    expect(headers.get('content-type')).toContain('application/xml')
  }
})

test('a type that is not served is 406, a body of another type 415', async () => {
  const { admin } = await anEngine()
  expect((await admin('GET', '/clusters', undefined, { accept: 'text/html' })).status).toBe(406)
  expect((await admin('POST', '/tags', 'name=x', { 'content-type': 'text/plain' })).status).toBe(415)
})

test('XML and JSON of the same resource say the same', async () => {
  const lab = await anEngine()
  const snapshot = await takeSnapshot(lab, 'vm1')
  const vm = lab.vm('vm1').id
  const paths = [
    '/',
    '/vms?follow=disk_attachments.disk,snapshots,tags',
    `/vms/${vm}/snapshots/${snapshot.id}`,
    `/vms/${vm}/snapshots/${snapshot.id}/disks`,
    '/disks',
    '/storagedomains',
    `/storagedomains/${lab.world.hostDomain}/disksnapshots?include_active=true`,
    '/datacenters?follow=storagedomains',
    '/clusters',
    '/hosts',
    '/jobs?follow=steps',
    '/events',
    '/users?follow=permissions',
    '/roles?follow=permits',
    '/templates',
    '/vnicprofiles',
  ]
  for (const path of paths) {
    const { json } = await lab.admin('GET', path)
    expect(await xmlAsJson(lab, path, json), path).toEqual(withoutEmptyLinks(json))
  }
})

test('XML input does what JSON input does', async () => {
  const { admin, vm } = await anEngine()
  const body =
    '<snapshot><description>from XML &amp; more</description><persist_memorystate>false</persist_memorystate></snapshot>'
  const { status, json } = await admin('POST', `/vms/${vm('vm1').id}/snapshots`, body, {
    'content-type': 'application/xml',
  })
  expect(status).toBe(201)
  expect(json).toMatchObject({ description: 'from XML & more', persist_memorystate: 'false' })
})

test('an unknown property is 400 with a hint at the usage, in JSON and in XML', async () => {
  const { admin, vm } = await anEngine()
  const path = `/vms/${vm('vm1').id}/snapshots`
  const inJson = await admin('POST', path, { description: 'x', bogus: 1 })
  const inXml = await admin('POST', path, '<snapshot><bogus/></snapshot>', {
    'content-type': 'application/xml',
  })
  for (const { status, json } of [inJson, inXml, await admin('POST', path, '{"description":')]) {
    expect(status).toBe(400)
    expect(json.detail).toContain('services/snapshots/methods/add')
  }
})

test('a malformed id is 400, an entity that is not there an empty 404, an unknown path 404', async () => {
  const { admin } = await anEngine()
  expect((await admin('GET', '/vms/nonsense')).status).toBe(400)
  const missing = await admin('GET', '/vms/00000000-0000-4000-8000-000000000000')
  expect([missing.status, missing.text]).toEqual([404, ''])
  expect((await admin('GET', '/novms')).status).toBe(404)
})

test('a method that a path does not have is 405', async () => {
  const { admin } = await anEngine()
  expect((await admin('DELETE', '/vms')).status).toBe(405)
})

test('a mandatory field that is missing is named', async () => {
  const { admin, vm } = await anEngine()
  const { status, json } = await admin('POST', `/vms/${vm('vm1').id}/snapshots`, {})
  expect(status).toBe(400)
  expect(json).toEqual({ reason: 'Incomplete parameters', detail: 'Snapshot [description] required for add' })
})

test('the version in the URL comes back in every href', async () => {
  const lab = await anEngine()
  const authorization = `Basic ${btoa('admin@internal:secret')}`
  const { json } = await lab.ask('GET', '/ovirt-engine/api/v4/clusters', undefined, { authorization })
  expect(json.cluster[0].href).toBe(`/ovirt-engine/api/v4/clusters/${json.cluster[0].id}`)
  const other = await lab.admin('GET', '/clusters', undefined, { version: '3' })
  expect([other.status, other.json.reason]).toEqual([400, 'Invalid version'])
})

test('the entry point tells the version as it was set', async () => {
  const { admin } = await anEngine({ settings: { version: '4.4.10.7-1.el8' } })
  const { product_info: product, authenticated_user: user } = (await admin('GET', '/')).json
  expect(product.version).toMatchObject({
    full_version: '4.4.10.7-1.el8',
    major: '4',
    minor: '4',
    build: '10',
  })
  expect((await admin('GET', user.href.replace('/ovirt-engine/api', ''))).json.principal).toBe('admin')
})

/** The XML of a path, brought into JSON's shape: what JSON shows as a list or a number is read as one. */
async function xmlAsJson(lab: Lab, path: string, like: unknown): Promise<unknown> {
  const { text } = await lab.admin('GET', path, undefined, { accept: 'application/xml' })
  const options = {
    ignoreAttributes: false,
    attributeNamePrefix: '',
    parseTagValue: false,
    ignoreDeclaration: true,
  }
  const tree: Record<string, unknown> = new XMLParser(options).parse(text)
  return shaped(Object.values(tree)[0], like)
}

function shaped(xml: unknown, like: unknown): unknown {
  if (Array.isArray(like)) return [xml].flat().map((each, index) => shaped(each, like[index]))
  if (typeof like === 'number') return Math.abs(Date.parse(String(xml)) - like) < 1000 ? like : xml
  if (typeof like !== 'object' || like === null) return xml
  const fields = xml === '' ? [] : Object.entries(xml as object)
  return Object.fromEntries(fields.map(([name, value]) => [name, shaped(value, (like as never)[name])]))
}

function withoutEmptyLinks(json: unknown): unknown {
  return JSON.parse(
    JSON.stringify(json, (key, value) => (key === 'link' && value.length === 0 ? undefined : value)),
  )
}
