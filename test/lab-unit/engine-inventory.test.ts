import { expect, test } from 'vitest'
import { standardWorld, worldOf } from '../../src/lab/engine/inventory.ts'
import { RecordedHost } from '../../src/lab/engine/recorded-host.ts'
import { boot } from '../../src/lab/engine/world/boot.ts'
import type { World } from '../../src/lab/engine/world/world.ts'

function idsOf(world: World): string[] {
  return [...world.vms.keys(), ...world.disks.keys(), ...world.domains.keys()]
}

test('the same seed makes the same ids, another seed others', () => {
  const made = (seed: string) => idsOf(standardWorld({ host: new RecordedHost(), seed }))
  expect(made('a')).toEqual(made('a'))
  expect(made('a').filter((id) => made('b').includes(id))).toEqual([])
})

test('ids are unique UUIDs', () => {
  const ids = idsOf(standardWorld({ host: new RecordedHost(), vms: 50, disks: 3 }))
  expect(new Set(ids).size).toBe(ids.length)
  expect(
    ids.every((id) => /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(id)),
  ).toBe(true)
})

test('a booted world has its volumes at the host, and its running VMs run', async () => {
  const host = new RecordedHost()
  const world = standardWorld({ host, vms: 3, disks: 2 })
  await boot(world)
  expect(host.domains.has(world.hostDomain ?? '')).toBe(true)
  const names = [...host.vms.values()].map(({ name }) => name)
  expect(names).toEqual(expect.arrayContaining(['vm1', 'vm2', 'vm3', 'extra', 'special']))
  expect(names).not.toContain('idle')
  const special = world.findVm('special')
  expect(host.vms.get(special?.id ?? '')?.writesTo.size).toBe(1)
})

test('a world is made of the VMs that are asked for', () => {
  const world = worldOf((id) => [{ name: 'only', disks: [{ domain: id('domain-nfs') }] }], {
    host: new RecordedHost(),
  })
  expect([...world.vms.values()].map(({ name }) => name)).toEqual(['only'])
  const disk = [...world.disks.values()].find(({ alias }) => alias === 'only_Disk1')
  expect(world.domains.get(disk?.domain ?? '')?.name).toBe('archive')
})

test('a big VM is there only when asked for: down, with one disk', () => {
  const host = new RecordedHost()
  expect(standardWorld({ host }).findVm('big')).toBeUndefined()
  const world = standardWorld({ host, bigDiskBytes: 2 ** 30 })
  const big = world.findVm('big')
  const sizes = [...(big?.attachments.keys() ?? [])].map((id) => world.disks.get(id)?.sizeBytes)
  expect([big?.status, sizes]).toEqual(['down', [2 ** 30]])
})

test('one of the standard VMs that run has no guest agent', () => {
  const vms = [...standardWorld({ host: new RecordedHost() }).vms.values()]
  expect(vms.filter(({ guestAgent }) => !guestAgent).map(({ name, status }) => [name, status])).toEqual([
    ['special', 'up'],
  ])
})
