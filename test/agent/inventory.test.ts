import { expect, test } from 'vitest'
import { inventoryFrom } from '../../src/agent/inventory.ts'
import { everything } from '../../src/backup/select.ts'
import { CommandFailed, EngineError } from '../../src/model/errors.ts'
import type { Hypervisor } from '../../src/model/hypervisor.ts'
import type { Pair } from '../../src/model/pair.ts'
import { domain, otherDomain } from '../support/memory-hypervisor.ts'
import { aDisk, aVm } from '../support/vms.ts'
import { aJob } from './a-job.ts'

const noSignal = new AbortController().signal
const pairOf = (primary: string): Pair => ({ primary, secondary: { host: 'gs1', volume: `${primary}-dr` } })
const jobs = [
  aJob({ name: 'one', pairs: [pairOf('data')], rpoMs: 1000 }),
  aJob({ name: 'two', pairs: [pairOf('data2')], rpoMs: 500 }),
]
const web = aVm('web')
const both = aVm('both', {
  disks: [aDisk('both1'), aDisk('both2', { domains: [otherDomain.id] })],
})
const db = aVm('db', { disks: [aDisk('db', { domains: [otherDomain.id] })] })

function inventory(down: { volume?: string; engine?: boolean }) {
  const hypervisor = {
    tagged: async () => [],
    domains: async () => [domain, otherDomain],
    vms: async ({ id }: { id: string }) => {
      if (down.engine === true) throw new EngineError('no answer')
      return [web, db, both].filter(({ disks }) => disks.some(({ domains }) => domains.includes(id)))
    },
  } as Partial<Hypervisor> as Hypervisor
  return inventoryFrom({
    hypervisor,
    jobs,
    policies: [],
    async volumesOf({ primary, secondary }) {
      if (primary === down.volume) throw new CommandFailed('glusterd does not answer', { argv: [] })
      const volume = { volume: primary, hosts: ['gp1'], sharded: false, replicated: false }
      return { primary: volume, secondary }
    },
    selectionOf: () => everything,
  })(noSignal)
}

test('a volume of which nothing can be learnt is named, and the VMs of the others are there', async () => {
  const { vms, blind } = await inventory({ volume: 'data' })
  expect(vms).toMatchObject([{ name: 'db', jobs: ['two'], rpoMs: 500 }, { name: 'both' }])
  expect(blind).toMatchObject([{ pair: { primary: 'data' }, error: { message: 'glusterd does not answer' } }])
})

test('VMs come with the jobs and the RPO of the volumes that they lie on', async () => {
  const { vms, blind } = await inventory({})
  expect(vms).toMatchObject([
    { name: 'web', jobs: ['one'], rpoMs: 1000 },
    { name: 'both', jobs: ['one', 'two'], rpoMs: 500 },
    { name: 'db', jobs: ['two'], rpoMs: 500 },
  ])
  expect(blind).toEqual([])
})

test('an engine that does not answer leaves no inventory at all', async () => {
  await expect(inventory({ engine: true })).rejects.toThrow('no answer')
})

test('a VM with disks on a volume of which nothing can be learnt is not seen whole', async () => {
  const { vms } = await inventory({ volume: 'data' })
  expect(vms.map(({ name, partly }) => [name, partly])).toEqual([
    ['db', undefined],
    ['both', true],
  ])
})
