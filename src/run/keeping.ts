import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { nameOfPair } from '../model/pair.ts'
import { type Lease, takeLease } from './lease.ts'
import { Ledger } from './ledger.ts'
import { lockVolume } from './lock.ts'
import { thisMachine } from './machine.ts'
import type { RunRequest } from './run.ts'

/** What is held while something is done for a volume pair. */
export interface Kept {
  ledger: Ledger
  lease: Lease
}

/**
 * Holds lock and lease of the primary volume, and the pair's ledger, while `use` is at work: the one door to both. Throws Locked when
 * another process has them, and Failure when the state directory cannot be used.
 */
export async function keeping<T>(request: RunRequest, use: (kept: Kept) => Promise<T>): Promise<T> {
  const { primary, stateDir, clock, signal, emit, leaseMs = 60_000, machine = thisMachine() } = request
  using _lock = lockVolume(stateDir, primary)
  using lease = await takeLease(join(stateDir, `${primary}.lease`), {
    machine,
    clock,
    signal,
    leaseMs,
    waiting: (what) => emit({ kind: 'waiting', what }),
  })
  // Not before: opening it may roll back what a machine was writing that has lost its locks.
  using ledger = new Ledger(ledgerIn(stateDir), nameOfPair(request))
  mkdirSync(join(stateDir, 'mnt'), { recursive: true, mode: 0o700 })
  ledger.note(pairFact, JSON.stringify({ primary, secondary: request.secondary }))
  return await use({ ledger, lease })
}

/**
 * Reads the ledger of a state directory as that of a pair, by its name, without holding anything. Makes nothing and gives undefined
 * where there is none. Throws Failure when it cannot be read.
 */
export function readLedger<T>(stateDir: string, pair: string, read: (ledger: Ledger) => T): T | undefined {
  const file = ledgerIn(stateDir)
  if (!existsSync(file)) return undefined
  using ledger = new Ledger(file, pair)
  return read(ledger)
}

/** The fact that names the pair's two volumes in full. */
export const pairFact = 'pair'

/** The fact that names the run which was the last to write over the secondary: only its report says what is there. */
export const overwrittenBy = 'overwritten by'

/** The ledger of all pairs of a state directory. */
export function ledgerIn(stateDir: string): string {
  return join(stateDir, 'vmbackup.db')
}
