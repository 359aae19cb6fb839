import { chmodSync } from 'node:fs'
import { basename } from 'node:path'
import { inspect } from 'node:util'
import { expect, test } from 'vitest'
import { describeConfig, readConfig } from '../../src/config/config.ts'
import { aFile } from './files.ts'
import { connection, env, problemsOf } from './refusal.ts'

test('says so when there is no password at all, or more than one way to it', async () => {
  expect(await problemsOf(connection, { env: {} })).toEqual([
    expect.stringMatching(/^backup.cfg: \[connection\] password: is given nowhere; set password_file or /),
  ])
  const both = await problemsOf(`${connection}password = hunter2\npassword_command = pass\n`)
  expect(both).toEqual([
    'backup.cfg:5: [connection] password_command: is set although password is, in line 4; keep one of them',
  ])
})

test('refuses a password file that is not there', async () => {
  expect(await problemsOf(`${connection}password_file = nowhere\n`)).toEqual([
    'backup.cfg:4: [connection] password_file: cannot be read: there is no such file',
  ])
})

test('warns of files with secrets that are open to others', async () => {
  const secretFile = await aFile('hunter2\n', { name: 'password', mode: 0o640 })
  const named = await readConfig(await aFile(`${connection}password_file = ${secretFile}\n`), { env: {} })
  expect(named.warnings).toEqual([
    `password file ${secretFile} is open to others than its owner (mode 0640): chmod 600 ${secretFile}`,
  ])
  const holding = await aFile(`${connection}password = hunter2\n`, { mode: 0o644 })
  const { warnings } = await readConfig(holding, { env: {} })
  expect(warnings).toEqual([
    `${holding} holds a password and is open to others than its owner (mode 0644): chmod 600 ${holding}`,
  ])
})

test('does not mind a file without secrets that others may read, but one they may change', async () => {
  const file = await aFile(connection, { mode: 0o644 })
  expect((await readConfig(file, { env })).warnings).toEqual([])
  chmodSync(file, 0o664)
  expect((await readConfig(file, { env })).warnings).toEqual([
    expect.stringContaining('can be changed by others'),
  ])
})

test('warns of a password that reads otherwise than it may be meant, without showing it', async () => {
  const quoted = await readConfig(await aFile(`${connection}password = "hunter2"\n`), { env: {} })
  expect(quoted.connection.password?.reveal()).toBe('"hunter2"')
  const cut = await readConfig(await aFile(`${connection}password = hunter2 ;3\n`), { env: {} })
  expect(cut.connection.password?.reveal()).toBe('hunter2')
  const warnings = [...quoted.warnings, ...cut.warnings].map((warning) => basename(warning))
  expect(warnings).toEqual([
    'backup.cfg:4: [connection] password: is in quotes, which are taken as part of it',
    'backup.cfg:4: [connection] password: what follows " ;" was taken as a comment; use password_file if it belongs to the password',
  ])
})

test('shows no secret in its description, in JSON or when inspected', async () => {
  const plain = await readConfig(await aFile(`${connection}password = hunter2\n`), { env: {} })
  const command = await readConfig(await aFile(`${connection}password_command = ask --token hunter2\n`), {
    env: {},
  })
  const shown = [
    describeConfig(plain),
    describeConfig(command),
    JSON.stringify(plain),
    inspect(plain, { depth: 9 }),
  ]
  expect(`${shown.join()} ${plain.connection.password}`).not.toContain('hunter2')
  expect(shown[0]).toContain('# password is set and not shown\n')
  expect(shown[1]).toContain('# password_command is set and not shown\n')
})
