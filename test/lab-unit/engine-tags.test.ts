import { afterEach, expect, test, vi } from 'vitest'
import { anEngine, type Lab } from './engine-support.ts'

afterEach(() => void vi.useRealTimers())

async function make(lab: Lab, name: string, parent?: object): Promise<string> {
  const made = await lab.admin('POST', '/tags', { name, ...(parent === undefined ? {} : { parent }) })
  if (made.status !== 201) throw new Error(made.text)
  return made.json.id
}

async function found(lab: Lab, search: string): Promise<string[]> {
  const { json } = await lab.admin('GET', `/vms?search=${encodeURIComponent(search)}`)
  return (json.vm ?? []).map((vm: { name: string }) => vm.name)
}

test('a tag hangs below the root, or below the parent that is named by id or by name', async () => {
  const lab = await anEngine()
  const gold = await make(lab, 'gold')
  const silver = await make(lab, 'silver', { name: 'gold' })
  await make(lab, 'bronze', { id: silver })
  const { json } = await lab.admin('GET', '/tags')
  const parents = json.tag.map((tag: { name: string; parent?: { id: string } }) => [tag.name, tag.parent?.id])
  expect(parents).toEqual([
    ['root', undefined],
    ['gold', expect.stringMatching(/^0{8}-/)],
    ['silver', gold],
    ['bronze', silver],
  ])
  expect((await lab.admin('POST', '/tags', { name: 'x', parent: { name: 'nobody' } })).status).toBe(404)
})

test('a name that is taken is a conflict, one with other characters a bad parameter, and case tells names apart', async () => {
  const lab = await anEngine()
  await make(lab, 'gold')
  const taken = await lab.admin('POST', '/tags', { name: 'gold' })
  expect([taken.status, taken.json.detail]).toEqual([409, '[The specified Tag name already exists.]'])
  expect((await lab.admin('POST', '/tags', { name: 'two words' })).status).toBe(400)
  expect((await lab.admin('POST', '/tags', { name: 'x'.repeat(51) })).status).toBe(400)
  expect((await lab.admin('POST', '/tags', {})).json.detail).toBe('Tag [name] required for add')
  await make(lab, 'Gold')
})

test('a search finds the VMs of a tag and of all below it, by its exact case', async () => {
  const lab = await anEngine()
  const gold = await make(lab, 'gold')
  await make(lab, 'db', { id: gold })
  await lab.admin('POST', `/vms/${lab.vm('vm1').id}/tags`, { name: 'db' })
  await lab.admin('POST', `/vms/${lab.vm('vm2').id}/tags`, { id: gold })
  expect(await found(lab, 'tag=gold')).toEqual(['vm1', 'vm2'])
  expect(await found(lab, 'tag=g*')).toEqual(['vm1', 'vm2'])
  expect(await found(lab, 'tag=db')).toEqual(['vm1'])
  expect([await found(lab, 'tag=GOLD'), await found(lab, 'tag=root'), await found(lab, 'tag=none')]).toEqual([
    [],
    [],
    [],
  ])
})

test('a tag put on twice is on once, and taking off what is not on is an empty 404', async () => {
  const lab = await anEngine()
  const gold = await make(lab, 'gold')
  const path = `/vms/${lab.vm('vm1').id}/tags`
  expect((await lab.admin('POST', path, { id: gold })).status).toBe(201)
  expect((await lab.admin('POST', path, { name: 'gold' })).status).toBe(201)
  expect((await lab.admin('GET', path)).json.tag).toMatchObject([
    { id: gold, name: 'gold', vm: { id: lab.vm('vm1').id } },
  ])
  expect((await lab.admin('POST', path, { name: 'Gold' })).status).toBe(404)
  expect((await lab.admin('DELETE', `${path}/${gold}`)).status).toBe(200)
  const again = await lab.admin('DELETE', `${path}/${gold}`)
  expect([again.status, again.text]).toEqual([404, ''])
})

test('a tag is renamed and moved, never below itself, and goes with all below it', async () => {
  const lab = await anEngine()
  const gold = await make(lab, 'gold')
  const db = await make(lab, 'db', { id: gold })
  const vm = lab.vm('vm1')
  await lab.admin('POST', `/vms/${vm.id}/tags`, { id: db })
  expect((await lab.admin('PUT', `/tags/${gold}`, { parent: { id: db } })).status).toBe(409)
  expect((await lab.admin('PUT', `/tags/${gold}`, { name: 'platinum' })).json.name).toBe('platinum')
  expect(await found(lab, 'tag=platinum')).toEqual(['vm1'])
  await lab.admin('DELETE', `/tags/${gold}`)
  expect((await lab.admin('GET', `/tags/${db}`)).status).toBe(404)
  expect((await lab.admin('GET', `/vms/${vm.id}/tags`)).json.tag).toBeUndefined()
})

test('XML says the same, and only an account that may manage tags changes any', async () => {
  const lab = await anEngine()
  const xml = { accept: 'application/xml', 'content-type': 'application/xml' }
  const made = await lab.admin(
    'POST',
    '/tags',
    '<tag><name>gold</name><parent><name>root</name></parent></tag>',
    xml,
  )
  expect([made.status, made.text]).toEqual([201, expect.stringContaining('<name>gold</name>')])
  const operator = await lab.as('operator@internal')
  expect((await operator('POST', '/tags', { name: 'x' })).status).toBe(403)
  expect((await operator('GET', '/tags')).status).toBe(200)
  expect((await operator('POST', `/vms/${lab.vm('vm1').id}/tags`, { name: 'gold' })).status).toBe(403)
})
