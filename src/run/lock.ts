import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Failure, Locked } from '../model/errors.ts'
import { oneLine } from '../model/shown.ts'
import { makeForOwner } from './owner-file.ts'

/**
 * Holds the lock of one primary volume until disposed or until this process dies, however it dies; throws Locked, naming the
 * holder, when another process has it. It is SQLite's file lock: the kernel ends it with the process.
 */
export function lockVolume(stateDir: string, primary: string): Disposable {
  return lock(stateDir, primary, `another run on volume ${primary} is going on`)
}

/** Holds the place of the one agent of a state directory; otherwise like `lockVolume`. */
export function lockAgent(stateDir: string): Disposable {
  return lock(stateDir, agentName, 'another agent is at work on this state directory')
}

/** Under which the agent has its lock and its lease: no volume can be called so. */
export const agentName = '.agent'

function lock(stateDir: string, name: string, taken: string): Disposable {
  const file = join(stateDir, `${name}.lock`)
  const holderFile = join(stateDir, `${name}.holder`)
  let db: DatabaseSync | undefined
  try {
    mkdirSync(stateDir, { recursive: true, mode: 0o700 })
    makeForOwner(file)
    db = new DatabaseSync(file, { timeout: 0 })
    db.exec('PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE')
    const holder = `pid ${process.pid} on ${hostname()} since ${new Date().toISOString()}\n`
    writeFileSync(holderFile, holder, { mode: 0o600 })
  } catch (cause) {
    db?.close()
    throw isBusy(cause)
      ? new Locked(`${taken}: ${holderIn(holderFile)}`, {
          cause,
          hint: 'wait for it to end; the lock ends by itself when that process ends',
        })
      : new Failure(`cannot take the lock ${file}`, {
          cause,
          hint: 'check that [state] dir is writable and not full, or give another with --state-dir',
        })
  }
  const held = db
  return { [Symbol.dispose]: () => held.close() }
}

/** SQLITE_BUSY and its extended codes: https://www.sqlite.org/rescode.html#busy */
function isBusy(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && (Number(error.errcode) & 0xff) === 5
}

function holderIn(file: string): string {
  try {
    return oneLine(readFileSync(file, 'utf8'))
  } catch {
    return 'its holder has not written its name yet'
  }
}
