import { execa } from 'execa'
import type { LabClient } from '../../../src/lab/client.ts'
import { flawsOfGuests } from '../../../src/lab/demo/guests.ts'
import { leftovers, proveSecondary } from '../../../src/lab/demo/proof.ts'
import { describeVerdict } from '../../../src/lab/vms/prover.ts'
import type { Report } from '../../../src/run/report.ts'
import { verifyAgent } from '../agent.ts'
import { recoverAgent } from '../crash.ts'
import type { Disturbance } from './disturbances.ts'
import type { Random } from './random.ts'

/** One run of the agent with its disturbances, and what was wrong afterwards. */
export interface Round {
  outcome: Report['outcome'] | 'killed'
  /** VMs that are claimed by the newest point on the secondary. */
  claimed: number
  settled: number
  flaws: string[]
}

/** Runs the agent among disturbances, heals the lab, recovers, and judges all that is left by the writers' own proof. */
export async function playRound(
  lab: LabClient,
  disturbing: readonly Disturbance[],
  random: Random,
): Promise<Round> {
  const before = await lab.writers()
  const report = await disturbedRun(lab, disturbing, random)
  await lab.control('DELETE', '/faults')
  const after = await lab.writers()

  const { exitCode, pairs } = await recoverAgent(lab)
  const settled = pairs.flatMap(({ found }) => found).length
  const flaws = exitCode === 0 ? [] : [`recover ended with ${exitCode}: ${JSON.stringify(pairs)}`]
  flaws.push(...(await leftovers(lab)))
  const between = disturbing.some(({ movesGuests }) => movesGuests) ? undefined : { before, after }
  const { claimed, lies } = await liesOnSecondary(lab, report, between)
  flaws.push(...lies, ...(await flawsOfGuests(lab)))
  return { outcome: report?.outcome ?? 'killed', claimed, settled, flaws }
}

/** The report, if the agent lived to make it. */
async function disturbedRun(
  lab: LabClient,
  disturbing: readonly Disturbance[],
  random: Random,
): Promise<Report | undefined> {
  const ended = new AbortController()
  const [file, ...args] = lab.vmbackup('--json', '--quiet')
  const troubles = Promise.allSettled(disturbing.map((one) => one.during(lab, random, ended.signal)))
  const { stdout } = await execa(file, args, { reject: false, timeout: 20 * 60_000 })
  ended.abort()
  const broken = (await troubles).flatMap((one) => (one.status === 'rejected' ? [one.reason as unknown] : []))
  if (broken.length > 0) throw new AggregateError(broken, 'a disturbance could not be made or healed')
  return stdout === '' ? undefined : (JSON.parse(stdout) as Report)
}

/** What the newest point or the report claims of a VM, and the writers' proof or `verify` deny. */
async function liesOnSecondary(
  lab: LabClient,
  report: Report | undefined,
  between: Parameters<typeof proveSecondary>[1],
): Promise<{ claimed: number; lies: string[] }> {
  const { point } = await verifyAgent(lab)
  const said = report?.vms.filter(({ state }) => state === 'protected').map(({ name }) => name) ?? []
  if (point === undefined || point.vms.length === 0) {
    return {
      claimed: 0,
      lies: said.map((name) => `${name} is protected by the report, and no point holds it`),
    }
  }
  const isOfThisRun = report === undefined || report.run === point.run
  const claims = point.vms.filter(({ verdict }) => verdict !== 'not claimed').map(({ name }) => name)
  const missing = isOfThisRun ? said.filter((name) => !claims.includes(name)) : said
  const refuted = point.vms.filter(({ verdict }) => verdict === 'refuted')
  const proofs = await proveSecondary(lab, isOfThisRun && report !== undefined ? between : undefined)
  const torn = proofs.filter(({ vm, verdict }) => claims.includes(vm.name) && verdict.verdict !== 'exactly')
  return {
    claimed: claims.length,
    lies: [
      ...missing.map((name) => `${name} is protected by the report, and not claimed by the point`),
      ...refuted.map(({ name, why }) => `${name} is claimed, and verify refutes it: ${why ?? ''}`),
      ...torn.map(({ vm, verdict }) => `${vm.name} is claimed, and ${describeVerdict(verdict)}`),
    ],
  }
}
