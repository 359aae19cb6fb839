import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { dirSync } from 'tmp'
import { onTestFinished } from 'vitest'

/** A folder that is gone when the test is done. */
export function aFolder(): string {
  const folder = dirSync({ unsafeCleanup: true })
  onTestFinished(() => folder.removeCallback())
  return folder.name
}

/** A file that only its owner may read, unless told otherwise. */
export async function aFile(
  text: string | Uint8Array,
  { name = 'backup.cfg', mode = 0o600 } = {},
): Promise<string> {
  const path = join(aFolder(), name)
  await writeFile(path, text, { mode })
  return path
}
