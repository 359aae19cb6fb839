import { join } from 'node:path'
import { execa } from 'execa'
import type { LabClient } from '../../src/lab/client.ts'
import { flawsOfGuests } from '../../src/lab/demo/guests.ts'
import { leftovers } from '../../src/lab/demo/proof.ts'
import type { PairRecovery } from '../../src/run/recover.ts'

const killer = join(import.meta.dirname, '../crash/kill-at-write.ts')

/** Runs the real command line until it is killed at that write to the ledger (`after:7`); false if it ended before. */
export async function isKilledAt(lab: LabClient, at: string): Promise<boolean> {
  const argv = lab.vmbackup('--quiet')
  const script = argv.indexOf('--') + 1
  argv.splice(script, 0, 'env', `NODE_OPTIONS=--import=${killer}`, `CRASH_AT=${at}`)
  const [file, ...args] = argv
  const { exitCode, signal, stderr, stdout } = await execa(file, args, { reject: false })
  if (signal === 'SIGKILL') return true
  if (exitCode === 0) return false
  throw new Error(`the run ended with ${exitCode}: ${stdout}\n${stderr}`)
}

/** What `recover` says, run at the primary on the lab's configuration. */
export async function recoverAgent(
  lab: LabClient,
  ...options: string[]
): Promise<{ exitCode: number; pairs: PairRecovery[] }> {
  const argv = lab.vmbackup()
  const script = argv.findIndex((word) => word.endsWith('/scripts/vmbackup'))
  const words = ['recover', '--config', lab.status.config, ...options, '--json']
  const [file = '', ...args] = [...argv.slice(0, script + 1), ...words]
  const { stdout, stderr, exitCode = 1 } = await execa(file, args, { reject: false })
  try {
    return { exitCode, pairs: (JSON.parse(stdout) as { pairs: PairRecovery[] }).pairs }
  } catch (cause) {
    throw new Error(`recover ended with ${exitCode}: ${stdout}\n${stderr}`, { cause })
  }
}

/** What is wrong after a crash once `recover` was there: with the world, with the guests, with a second `recover`. */
export async function flawsAfterRecover(lab: LabClient): Promise<string[]> {
  const { exitCode, pairs } = await recoverAgent(lab)
  const flaws = [...(await leftovers(lab)), ...(await flawsOfGuests(lab))]
  if (exitCode !== 0) flaws.push(`recover ended with ${exitCode}: ${JSON.stringify(pairs)}`)
  const again = await recoverAgent(lab)
  if (again.pairs.length > 0) flaws.push(`a second recover found ${JSON.stringify(again.pairs)}`)
  return flaws
}
