import { mkdirSync, mkdtempSync, rmdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isAbsent } from '../model/errors.ts'

/**
 * A state directory for a rehearsal, with a directory for logs; disposing removes it. What stands in `mnt` is never deleted:
 * if something is still mounted there, it is the site's own volume.
 */
export function scratchDir(): Disposable & { readonly dir: string; readonly logDir: string } {
  const dir = mkdtempSync(join(tmpdir(), 'vmbackup-plan-'))
  const logDir = join(dir, 'log')
  mkdirSync(logDir)
  return {
    dir,
    logDir,
    [Symbol.dispose]() {
      rmSync(logDir, { recursive: true, force: true })
      for (const empty of [join(dir, 'mnt'), dir]) {
        try {
          rmdirSync(empty)
        } catch (error) {
          if (!isAbsent(error)) return
        }
      }
    },
  }
}
