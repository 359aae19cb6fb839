import { spawn } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import { expect } from 'vitest'
import { LabClient } from '../../src/lab/client.ts'
import { leftovers, proveSecondary } from '../../src/lab/demo/proof.ts'
import type { Verification } from '../../src/point/verify.ts'
import type { Report } from '../../src/run/report.ts'

const launcher = join(import.meta.dirname, '../../scripts/lab')

/** Brings a lab of its own up for a test file; disposing takes it down. */
export async function labFor(name: string, ...options: string[]): Promise<LabClient & AsyncDisposable> {
  await execa(launcher, ['up', '--name', name, ...options])
  const lab = await LabClient.of(name)
  return Object.assign(lab, {
    async [Symbol.asyncDispose]() {
      await execa(launcher, ['down', '--name', name])
    },
  })
}

/** Runs a shell script in a node; returns what it printed. */
export function inNode(lab: LabClient, node: string, script: string): Promise<string> {
  return lab.run(node, 'sh', '-c', script)
}

/** A copy of the lab's configuration with lines replaced or added; returns its path. */
export async function configWith(lab: LabClient, change: (text: string) => string): Promise<string> {
  const file = join(lab.status.dir, `backup-${Math.random().toString(36).slice(2)}.cfg`)
  await writeFile(file, change(await readFile(lab.status.config, 'utf8')), { mode: 0o600 })
  return file
}

export interface Ended {
  exitCode: number | null
  report: Report
  stderr: string
}

/** At the beginning of a step the run is ended by SIGTERM, or something happens to the world. */
export interface Interference {
  step: string
  act?: () => Promise<unknown>
}

/** Runs the real command line with --json; `at` interferes once. */
export async function runAgent(argv: readonly string[], at?: Interference): Promise<Ended> {
  const { stdout, ...ended } = await runProgram(argv, at)
  return { ...ended, report: JSON.parse(stdout) as Report }
}

/** The same, whatever it prints. */
export async function runProgram(
  argv: readonly string[],
  at?: Interference,
): Promise<Omit<Ended, 'report'> & { stdout: string }> {
  const [file = '', ...args] = argv
  const child = spawn(file, [...args, '--json', '--verbose'], { stdio: ['ignore', 'pipe', 'pipe'] })
  let stdout = ''
  let stderr = ''
  let interfered: Promise<unknown> | undefined
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
    const begun = at !== undefined && new RegExp(`step began\\s+step: "${at.step}"`).test(stderr)
    if (!begun || interfered !== undefined) return
    interfered = at.act === undefined ? Promise.resolve(child.kill('SIGTERM')) : at.act()
    // Awaited below; a rejection before that is no crash.
    interfered.catch(() => undefined)
  })
  const exitCode = await new Promise<number | null>((resolve) => child.on('close', resolve))
  if (at !== undefined && interfered === undefined)
    throw new Error(`step ${at.step} was never seen to begin:\n${stderr}`)
  await interfered
  return { exitCode, stdout, stderr }
}

/** Runs the agent; every VM that it can protect is, as the writers prove, and nothing is left. */
export async function expectProtected(lab: LabClient, at?: Interference): Promise<Ended> {
  const before = await lab.writers()
  const ended = await runAgent(lab.vmbackup(), at)
  const after = await lab.writers()
  const { report, exitCode } = ended
  expect(report.error).toBeUndefined()
  expect(report.vms.filter(({ state }) => state === 'failed')).toEqual([])
  expect([exitCode, report.outcome]).toEqual([0, 'protected'])
  const claimed = report.vms.filter(({ state }) => state === 'protected').map(({ id }) => id)
  const proofs = (await proveSecondary(lab, { before, after })).filter(({ vm }) => claimed.includes(vm.id))
  const verdicts = proofs.map(({ vm, verdict }) => [vm.name, verdict.verdict])
  expect(verdicts).toEqual(proofs.map(({ vm }) => [vm.name, 'exactly']))
  expect(proofs.length).toBeGreaterThan(2)
  expect(await leftovers(lab)).toEqual([])
  return ended
}

/** Runs `vmbackup verify` on the recovery site, and gives its findings by VM. */
export async function verifyAgent(lab: LabClient, ...options: string[]) {
  const { stdout, exitCode } = await lab.atRecoverySite('verify', '--json', ...options)
  // Where there is no point at all the document holds the error only.
  const { points = [] } = JSON.parse(stdout) as { points?: Verification[] }
  return { exitCode, point: points[0] }
}

/** Lines that `gluster` logged on the primary: every command that anybody ran there. */
export async function glusterHistory(lab: LabClient): Promise<string[]> {
  const text = await inNode(lab, 'gp1', 'cat /var/log/glusterfs/cmd_history.log')
  return text.split('\n').filter((line) => line !== '')
}
