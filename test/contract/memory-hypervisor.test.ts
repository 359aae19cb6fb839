import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createMemoryHypervisor } from '../support/memory-hypervisor.ts'
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
