import { afterEach, expect, test, vi } from 'vitest'
import { anEngine, type Lab, passes } from './engine-support.ts'

afterEach(() => void vi.useRealTimers())

const second = { domainName: 'vmstore2', address: 'gp1', volume: 'data2' }

async function namesOn(lab: Lab, name: string): Promise<string[]> {
  const search = encodeURIComponent(`storage.name=${name} sortby name`)
  const { json } = await lab.admin('GET', `/vms?search=${search}`)
  return (json.vm ?? []).map((vm: { name: string }) => vm.name)
}

test('with a second volume every other VM lies there, and one on both', async () => {
  const lab = await anEngine({ vms: 3, second })
  expect(await namesOn(lab, 'vmstore')).toEqual(['both', 'extra', 'idle', 'special', 'vm1', 'vm3'])
  expect(await namesOn(lab, 'vmstore2')).toEqual(['both', 'vm2'])
})

test('each domain has its own source, its own stores, and documents of its own VMs', async () => {
  const lab = await anEngine({ vms: 2, second })
  const { json } = await lab.admin('GET', '/storagedomains?search=type%3Dglusterfs')
  expect(json.storage_domain.map((one: { storage: { path: string } }) => one.storage.path)).toEqual([
    '/vmstore',
    '/data2',
  ])
  expect([...lab.host.domains.keys()]).toEqual(lab.world.hostDomains)
  const domains = lab.world.hostDomains.map((id) => lab.world.domains.get(id))
  const documents = domains.map((domain) => {
    const volume = lab.world.disks.get(domain?.ovfStores[0] ?? '')?.volumes[0]?.id ?? ''
    return lab.host.ovfStores.get(volume)?.members.map(({ name }) => name) ?? []
  })
  const has = (index: number, vm: string) => documents[index]?.includes(`${lab.vm(vm).id}.ovf`)
  expect(['vm1', 'vm2', 'both'].map((vm) => [has(0, vm), has(1, vm)])).toEqual([
    [true, false],
    [false, true],
    [true, true],
  ])
})

test('a snapshot of disks on both volumes makes an overlay on each', async () => {
  const lab = await anEngine({ vms: 1, second })
  const both = lab.vm('both')
  const path = `/vms/${both.id}/snapshots`
  await lab.admin('POST', path, { description: 'test', persist_memorystate: 'false' })
  await passes(5_000)
  const disks = [...both.attachments.keys()].flatMap((id) => lab.world.disks.get(id) ?? [])
  expect(disks.map(({ domain, volumes }) => [domain, volumes.length])).toEqual(
    lab.world.hostDomains.map((id) => [id, 2]),
  )
  expect(lab.host.vms.get(both.id)?.writesTo).toEqual(
    new Map(disks.map(({ id, volumes }) => [id, volumes.at(-1)?.id])),
  )
})
