import { existsSync } from 'node:fs'
import { dirSync } from 'tmp'
import { onTestFinished } from 'vitest'

/** A folder that is gone when the test is done; in memory where that can be had: the ledger syncs at every write. */
export function aFolder(): string {
  const memory = existsSync('/dev/shm') ? { tmpdir: '/dev/shm' } : {}
  const folder = dirSync({ prefix: 'vmbackup-test', unsafeCleanup: true, ...memory })
  onTestFinished(() => folder.removeCallback())
  return folder.name
}
