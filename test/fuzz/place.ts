import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

let folder: string | undefined

/** A path in a folder of this process that is gone when it ends; each input writes over what the one before left there. */
export function aPlace(name: string): string {
  if (folder === undefined) {
    const made = mkdtempSync(join(tmpdir(), 'vmbackup-fuzz-'))
    folder = made
    process.once('exit', () => rmSync(made, { recursive: true, force: true }))
  }
  return join(folder, name)
}
