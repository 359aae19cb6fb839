import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { expect } from 'vitest'

/**
 * Runs a script of this folder in a process that is killed at its nth write to the ledger (`before:7`, `after:7`); true when it came to that,
 * else it must have said `says`.
 */
export async function isKilled(script: string, args: string[], at: string, says: string): Promise<boolean> {
  const argv = ['--import', join(import.meta.dirname, 'kill-at-write.ts'), script, ...args]
  const child = spawn(process.execPath, argv, {
    cwd: import.meta.dirname,
    env: { ...process.env, CRASH_AT: at },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const [said, complaints] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    child.exitCode ?? once(child, 'exit'),
  ])
  if (child.signalCode === 'SIGKILL') return true
  expect([child.exitCode, said], complaints).toEqual([0, says])
  return false
}
