import { dirname } from 'node:path'
import { expect } from 'vitest'
import { readConfig } from '../../src/config/config.ts'
import type { Override } from '../../src/config/decode.ts'
import { UsageError } from '../../src/model/errors.ts'
import { aFile } from './files.ts'

export const env = { VMBACKUP_PASSWORD: 'hunter2' }
/** The least that a file must hold, but for the password. */
export const connection =
  '[connection]\nserver = https://engine.example.com/ovirt-engine/api\nuser_name = admin@internal\n'

/** The lines in which a file is refused, without the folder it lies in. */
export async function problemsOf(
  text: string | Uint8Array,
  options: { overrides?: Override[]; env?: object } = {},
) {
  const file = await aFile(text)
  const error: unknown = await readConfig(file, { env, ...options } as Parameters<typeof readConfig>[1]).then(
    () => new Error('it was accepted'),
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(UsageError)
  const [head, ...lines] = (error as UsageError).message.replaceAll(`${dirname(file)}/`, '').split('\n')
  return head === 'the configuration cannot be used:' ? lines : [head]
}
