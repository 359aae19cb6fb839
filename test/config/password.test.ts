import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { expect, test } from 'vitest'
import { passwordSource } from '../../src/config/password.ts'
import { Secret } from '../../src/config/secret.ts'
import { UsageError } from '../../src/model/errors.ts'
import { aFile, aFolder } from './files.ts'

const unset = { password: undefined, passwordFile: undefined, passwordCommand: undefined }

function from(
  keys: Partial<Record<keyof typeof unset, unknown>>,
  env: Record<string, string> = {},
  limitMs?: number,
) {
  const connection = { ...unset, ...keys } as Parameters<typeof passwordSource>[0]['connection']
  return passwordSource({ connection }, { PATH: process.env['PATH'], ...env }, limitMs)
}

async function refusalOf(source: () => Promise<string>): Promise<UsageError> {
  const error = await source().catch((reason: unknown) => reason)
  expect(error).toBeInstanceOf(UsageError)
  expect(inspect(error, { depth: 9 })).not.toContain('hunter2')
  return error as UsageError
}

const shell = (script: string) => ({ passwordCommand: ['sh', '-c', script] })

test('takes the password from the key, a file or a command, without the newline at its end', async () => {
  const file = await aFile('hunter2\r\n', { name: 'password' })
  expect(await from({ password: new Secret('hunter2') })()).toBe('hunter2')
  expect(await from({ passwordFile: file })()).toBe('hunter2')
  expect(await from({ passwordCommand: ['printf', '%s\\n', ' hunter 2 '] })()).toBe(' hunter 2 ')
})

test('prefers a key of the file to the systemd credential, and that to the environment', async () => {
  const credentials = aFolder()
  await writeFile(join(credentials, 'vmbackup-password'), 'from systemd\n')
  const env = { CREDENTIALS_DIRECTORY: credentials, VMBACKUP_PASSWORD: 'from the environment' }
  expect(await from({ password: new Secret('from the key') }, env)()).toBe('from the key')
  expect(await from({}, env)()).toBe('from systemd')
  expect(await from({}, { ...env, CREDENTIALS_DIRECTORY: aFolder() })()).toBe('from the environment')
})

test('asks anew each time, so that a changed password is found', async () => {
  const file = await aFile('old', { name: 'password' })
  const password = from({ passwordFile: file })
  expect(await password()).toBe('old')
  await writeFile(file, 'new')
  expect(await password()).toBe('new')
})

test('says how to give a password when there is none', async () => {
  const error = await refusalOf(from({}))
  expect(error.hint).toContain('password_file')
})

test('refuses an empty password, wherever it comes from', async () => {
  const file = await aFile('\n', { name: 'password' })
  expect((await refusalOf(from({ passwordFile: file }))).message).toBe(
    `password file ${file} is empty, so there is no password`,
  )
  expect((await refusalOf(from({ passwordCommand: ['true'] }))).message).toMatch(
    /^the output of password_command is empty/,
  )
})

test('refuses a password of several lines without showing it', async () => {
  const file = await aFile('hunter2\nhunter2\n', { name: 'password' })
  expect((await refusalOf(from({ passwordFile: file }))).message).toMatch(/has more than one line/)
})

test('tells how a command failed, and nothing that it printed or was given', async () => {
  const failed = await refusalOf(from(shell('echo hunter2; echo hunter2 >&2; exit 3')))
  expect(failed.message).toBe('password_command (sh) ended with exit code 3')
  expect(failed.hint).toMatch(/run it by hand/)
  const missing = await refusalOf(from({ passwordCommand: ['no-such-program', 'hunter2'] }))
  expect(missing.message).toBe('password_command (no-such-program) cannot be run (ENOENT)')
  const killed = await refusalOf(from(shell('echo hunter2; kill -9 $$')))
  expect(killed.message).toBe('password_command (sh) was ended by SIGKILL')
  const noisy = await refusalOf(from(shell('while :; do echo hunter2; done')))
  expect(noisy.message).toBe('password_command (sh) printed more than a password')
})

test('runs a command without a shell', async () => {
  expect(await from({ passwordCommand: ['printf', '%s', '$HOME; `id`'] })()).toBe('$HOME; `id`')
})

test('ends a command that takes too long, with the children that hold its output', async () => {
  const began = performance.now()
  const error = await refusalOf(from(shell('echo hunter2; sleep 15 & sleep 15'), {}, 200))
  expect(error.message).toBe('password_command (sh) was not done in time')
  expect(performance.now() - began).toBeLessThan(10_000)
})
