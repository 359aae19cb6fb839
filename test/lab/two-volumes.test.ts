import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { replicateByHand } from '../../src/lab/demo/by-hand.ts'
import { flawsOfGuests } from '../../src/lab/demo/guests.ts'
import { leftovers, proveSecondary } from '../../src/lab/demo/proof.ts'
import type { Report } from '../../src/run/report.ts'
import { configWith, labFor, runAgent, runProgram } from './agent.ts'

const scripts = join(import.meta.dirname, '../../scripts/vmbackup')

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

  /** Of the real command line, on a job of both pairs. */
  async function runJob(): Promise<Report[]> {
    const pairs = lab.status.pairs.map(({ primary, secondary }) => `${primary} gs1 ${secondary}`)
    const config = await configWith(lab, (text) => `${text}\n[job all]\npairs = ${pairs.join(', ')}\n`)
    const argv = lab.at('gp1', scripts, 'run', 'all', '--config', config)
    const { stdout } = await runProgram(argv)
    return (JSON.parse(stdout) as { reports: Report[] }).reports
  }

  test('a run of a job over both pairs copies a VM on both as it was after one write, while it writes', async () => {
    const before = await lab.writers()
    const reports = await runJob()
    const after = await lab.writers()
    expect(reports.map(({ outcome, error }) => [outcome, error])).toEqual([
      ['protected', undefined],
      ['protected', undefined],
    ])
    const states = reports.map(({ vms }) =>
      vms.find((vm) => vm.name === 'both')?.disks.map((disk) => disk.state),
    )
    expect(states).toEqual([
      ['protected', 'elsewhere'],
      ['elsewhere', 'protected'],
    ])
    const protects = new Set(
      reports.flatMap(({ vms }) => vms.flatMap(({ id, state }) => (state === 'protected' ? [id] : []))),
    )
    const proofs = (await proveSecondary(lab, { before, after })).filter(({ vm }) => protects.has(vm.id))
    expect(proofs.map(({ vm, verdict }) => [vm.name, verdict.verdict])).toEqual(
      proofs.map(({ vm }) => [vm.name, 'exactly']),
    )
    expect(proofs.map(({ vm }) => vm.name)).toEqual(expect.arrayContaining(['both', 'vm1', 'vm2']))
    expect(await leftovers(lab)).toEqual([])
    expect(await flawsOfGuests(lab)).toEqual([])
  }, 600_000)

  test('control: a run of each pair, one after the other, leaves a copy of it that is torn', async () => {
    for (const pair of lab.status.pairs) {
      const { report } = await runAgent(lab.vmbackupOn(pair))
      expect(report.outcome).toBe('protected')
      const both = report.vms.find((vm) => vm.name === 'both')
      expect(both?.disks.map((disk) => disk.state).toSorted()).toEqual(['left out', 'protected'])
    }
    expect(await verdictOf('both')).toBe('torn')
  }, 600_000)
})
