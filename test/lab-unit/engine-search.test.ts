import { afterEach, expect, test, vi } from 'vitest'
import { anEngine, type Lab } from './engine-support.ts'

afterEach(() => void vi.useRealTimers())

async function names(lab: Lab, search: string, more = ''): Promise<string[]> {
  const { status, json, text } = await lab.admin('GET', `/vms?search=${encodeURIComponent(search)}${more}`)
  if (status !== 200) throw new Error(text)
  return (json.vm ?? []).map((vm: { name: string }) => vm.name)
}

test('conditions are joined by and, or, parentheses, and by nothing at all', async () => {
  const lab = await anEngine()
  expect(await names(lab, 'name=vm1 or name=vm2')).toEqual(['vm1', 'vm2'])
  expect(await names(lab, 'status=up and (name=vm1 or name=idle)')).toEqual(['vm1'])
  expect(await names(lab, 'status=down name=i*')).toEqual(['idle'])
  expect(await names(lab, 'status!=up')).toEqual(['idle'])
})

test('values may be quoted and hold wildcards, and their case does not count unless asked', async () => {
  const lab = await anEngine()
  expect(await names(lab, 'name="VM1"')).toEqual(['vm1'])
  expect(await names(lab, 'name=*engine')).toEqual(['HostedEngine'])
  expect(await names(lab, 'name=VM1', '&case_sensitive=true')).toEqual([])
  expect(await names(lab, 'hosted')).toEqual(['HostedEngine'])
})

test('VMs are found by storage domain, cluster, data centre, tag and id', async () => {
  const lab = await anEngine()
  expect(await names(lab, 'Vms: storage.name="archive"')).toEqual(['special'])
  expect(await names(lab, 'cluster=Default and datacenter=Default and name=vm1')).toEqual(['vm1'])
  expect(await names(lab, `id=${lab.vm('vm2').id}`)).toEqual(['vm2'])
  await lab.admin('POST', '/tags', { name: 'gold' })
  await lab.admin('POST', `/vms/${lab.vm('vm2').id}/tags`, { name: 'gold' })
  expect(await names(lab, 'tag=gold')).toEqual(['vm2'])
})

test('VMs are found by several ids at once, whatever their case unless that is asked for, and beside other conditions', async () => {
  const lab = await anEngine({ vms: 4 })
  const [one, three] = [lab.vm('vm1').id, lab.vm('vm3').id]
  expect(await names(lab, `id=${one} or id=${three}`)).toEqual(['vm1', 'vm3'])
  expect(await names(lab, `id=${one.toUpperCase()} or id=${three}`)).toEqual(['vm1', 'vm3'])
  expect(await names(lab, `id=${one.toUpperCase()} or id=${three}`, '&case_sensitive=true')).toEqual(['vm3'])
  expect(await names(lab, `id=${one} or id=${three} or name=vm4`)).toEqual(['vm1', 'vm3', 'vm4'])
  expect(await names(lab, `(id=${one} or id=${three}) and name=vm3`)).toEqual(['vm3'])
})

test('results are sorted and cut into pages of max', async () => {
  const lab = await anEngine({ vms: 5, onlyPlain: true })
  expect(await names(lab, 'sortby name desc', '&max=2')).toEqual(['vm5', 'vm4'])
  expect(await names(lab, 'sortby name asc page 2', '&max=2')).toEqual(['vm3', 'vm4'])
  expect(await names(lab, 'sortby name page 4', '&max=2')).toEqual([])
})

test('a page without max has a hundred, no page and no max gives all', async () => {
  const lab = await anEngine({ vms: 120, onlyPlain: true })
  expect(await names(lab, 'page 1')).toHaveLength(100)
  expect(await names(lab, 'page 2')).toHaveLength(20)
  expect(await names(lab, '')).toHaveLength(120)
})

test('a query that cannot be read is 400', async () => {
  const { admin } = await anEngine()
  for (const search of ['bogus=1', '(name=x', 'name=', 'page zero']) {
    expect((await admin('GET', `/vms?search=${encodeURIComponent(search)}`)).status).toBe(400)
  }
})

test('max may stand in the path, as a matrix parameter', async () => {
  const { admin } = await anEngine()
  expect((await admin('GET', '/vms;max=1')).json.vm).toHaveLength(1)
})

test('follow puts what is linked in place of the link, at any depth', async () => {
  const { admin, vm } = await anEngine()
  const { json } = await admin(
    'GET',
    `/vms/${vm('vm1').id}?follow=disk_attachments.disk.storage_domains,snapshots,host`,
  )
  const [attachment] = json.disk_attachments.disk_attachment
  expect(attachment.disk.alias).toBe('vm1_Disk1')
  expect(attachment.disk.storage_domains.storage_domain[0].name).toBe('vmstore')
  expect(json.snapshots.snapshot[0].snapshot_type).toBe('active')
  expect(json.host.name).toBe('host1')
})

test('following a link that does not exist fails', async () => {
  const { admin } = await anEngine()
  expect((await admin('GET', '/vms?follow=nonsense')).status).toBe(500)
})

test('ten thousand VMs are searched and paged', { timeout: 120_000 }, async () => {
  const lab = await anEngine({ vms: 10_000, disks: 2, onlyPlain: true })
  const page = await names(
    lab,
    'storage.name=vmstore sortby name page 100',
    '&max=100&follow=disk_attachments.disk',
  )
  expect(page).toHaveLength(100)
  expect(page.at(-1)).toBe('vm9999')
})
