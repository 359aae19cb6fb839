import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { aFolder } from '../run/a-folder.ts'
import { createMemoryHypervisor, domain } from '../support/memory-hypervisor.ts'
import { aDisk, aVm } from '../support/vms.ts'
import { hypervisorContract } from './hypervisor.ts'
import type { Subject } from './hypervisor-subject.ts'

const endless = 1_000_000
const snapshotFaults = {
  'snapshot fails': 'job fails',
  'snapshot is doubtful': 'doubtful',
  'snapshot has no answer': 'answer lost',
} as const

hypervisorContract('a fake over a directory', async (more = 0): Promise<Subject> => {
  const root = await mkdtemp(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'hypervisor-'))
  const { hypervisor, world, faults } = await createMemoryHypervisor(root, root, vmsOf(more))
  return {
    hypervisor,
    again: async () => (await createMemoryHypervisor(root, root)).hypervisor,
    hold: () => {
      faults.looks = endless
    },
    release: () => {
      faults.looks = 1
      for (const one of world.pending) one.looks = 1
    },
    fail: (vm, how) => {
      if (how === 'merge fails') faults.merges[vm] = 1
      else faults.snapshot[vm] = snapshotFaults[how]
    },
    removeVm: (name) => {
      world.vms = world.vms.filter((vm) => vm.name !== name)
    },
    addTag: (name, below) => {
      world.tags.push(below === undefined ? { name } : { name, below })
    },
    announced: () => world.announced,
    openSteps: (jobId) =>
      world.steps.filter(({ job, succeeded }) => job === jobId && succeeded === undefined).length,
    [Symbol.asyncDispose]: () => rm(root, { recursive: true }),
  }
})

test('a fake whose process is killed while a look ends a snapshot has it under way, and the next look ends it', async () => {
  const root = aFolder()
  const { signal } = new AbortController()
  const { hypervisor } = await createMemoryHypervisor(root, root, [aVm('web')])
  const [web] = await hypervisor.vms(domain, signal)
  const [disk] = web?.disks ?? []
  if (web === undefined || disk?.volume === undefined) throw new Error('no disk')
  const overlays = [{ image: disk.id, base: disk.volume, overlay: '0be00000-0000-4000-8000-000000000001' }]
  await hypervisor.takeSnapshot(web, { description: 'a snapshot', overlays }, 'tag-1', signal)

  const looking = hypervisor.observe([web], 'tag', signal)
  // Somebody else's act is kept while the look is at its files: this is what the killed process has left.
  await hypervisor.thaw(web, signal)
  const left = readFileSync(join(root, 'engine.json'))
  await looking
  writeFileSync(join(root, 'engine.json'), left)

  const { hypervisor: next } = await createMemoryHypervisor(root, root)
  const seen = (await next.observe([web], 'tag', signal)).vms.get(web.id)
  expect(seen?.snapshots.map(({ description, status }) => [description, status])).toContainEqual([
    'a snapshot',
    'ok',
  ])
  expect(seen?.disks.map(({ volume, status }) => [volume, status])).toEqual([[overlays[0]?.overlay, 'ok']])
})

function vmsOf(more: number) {
  const foreign = { domains: ['another domain'] }
  return [
    aVm('web', { disks: [aDisk('web-disk1'), aDisk('web-disk2')] }),
    aVm('db'),
    aVm('idle', { status: 'down' }),
    aVm('mixed', { disks: [aDisk('mixed-disk1'), aDisk('mixed-disk2', foreign)] }),
    aVm('elsewhere', { disks: [aDisk('elsewhere-disk1', foreign)] }),
    ...Array.from({ length: more }, (_, index) => aVm(`more${index}`)),
  ]
}
