import { readText } from '../config/files.ts'
import type { Secret } from '../config/secret.ts'
import { UsageError } from '../model/errors.ts'

const mostBytes = 4096

/**
 * A secret from its key or its file, read anew at each call so that a changed one is found; undefined where neither is set. Throws UsageError, which never
 * holds what the file gave.
 */
export async function secretText(
  { secret, file }: { secret: Secret | undefined; file: string | undefined },
  what: string,
): Promise<string | undefined> {
  if (secret !== undefined) return secret.reveal()
  if (file === undefined) return undefined
  const text = (await readText(file, what, mostBytes)).text.replace(/(\r?\n)+$/, '')
  if (text === '') throw new UsageError(`${what} ${file} is empty`)
  if (/[\r\n]/.test(text)) throw new UsageError(`${what} ${file} has more than one line`)
  return text
}
