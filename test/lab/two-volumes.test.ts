import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { replicateByHand } from '../../src/lab/demo/by-hand.ts'
import { flawsOfGuests } from '../../src/lab/demo/guests.ts'
import { leftovers, proveSecondary } from '../../src/lab/demo/proof.ts'
import { labFor, runAgent } from './agent.ts'

describe('a lab with two pairs of volumes', () => {
  let lab: Awaited<ReturnType<typeof labFor>>
  beforeAll(async () => {
    lab = await labFor('two-volumes', '--volumes', '2', '--vms', '2')
  }, 300_000)
  afterAll(async () => lab?.[Symbol.asyncDispose](), 60_000)

  async function verdictOf(name: string): Promise<string | undefined> {
    const proved = await proveSecondary(lab)
    return proved.find(({ vm }) => vm.name === name)?.verdict.verdict
  }

  async function writtenBy(name: string): Promise<number> {
    return [...(await lab.writers()).values()].find((writer) => writer.name === name)?.acked ?? 0
  }

  test('has VMs on either volume, and one whose disks lie on both', async () => {
    const { vms } = await lab.world()
    const domains = (await lab.pairs()).map(({ id }) => id)
    const placesOf = (name: string) =>
      vms.find((vm) => vm.name === name)?.disks.map(({ domain = '' }) => domains.indexOf(domain))
    expect(['vm1', 'vm2', 'both'].map(placesOf)).toEqual([[0], [1], [0, 1]])
    expect(await flawsOfGuests(lab)).toEqual([])
  })

  test('a copy of a VM on both volumes is whole only when both are of the same moment', async () => {
    const [first, second] = lab.status.pairs
    await lab.control('POST', '/vms/both/pause', {})
    await replicateByHand(lab, first)
    await replicateByHand(lab, second)
    expect(await verdictOf('both')).toBe('exactly')
    const written = await writtenBy('both')
    await lab.control('POST', '/vms/both/resume', {})
    await expect.poll(() => writtenBy('both'), { timeout: 60_000 }).toBeGreaterThan(written + 100)
    await lab.control('POST', '/vms/both/pause', {})
    await replicateByHand(lab, second)
    expect(await verdictOf('both')).toBe('torn')
    await lab.control('POST', '/vms/both/resume', {})
  }, 600_000)

  test('a run of the second pair protects what lies there, and leaves nothing on either', async () => {
    const before = await lab.writers()
    const { report, exitCode } = await runAgent(lab.vmbackupOn(lab.status.pairs[1]))
    const after = await lab.writers()
    expect([report.error, exitCode, report.outcome]).toEqual([undefined, 0, 'protected'])
    const named = report.vms.map(({ name, state, disks }) => [name, state, disks.map((disk) => disk.state)])
    expect(named).toEqual([
      ['both', 'protected', ['left out', 'protected']],
      ['vm2', 'protected', ['protected']],
    ])
    const vm2 = (await proveSecondary(lab, { before, after })).find(({ vm }) => vm.name === 'vm2')
    expect(vm2?.verdict.verdict).toBe('exactly')
    expect(await leftovers(lab)).toEqual([])
  })
})
