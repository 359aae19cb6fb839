import { writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { rootCertificates } from 'node:tls'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { describeConfig, readConfig } from '../../src/config/config.ts'
import { UsageError } from '../../src/model/errors.ts'
import { aFile, aFolder } from './files.ts'
import { connection, env, problemsOf } from './refusal.ts'

test("reads the original tool's file unchanged", async () => {
  const file = await aFile(
    [
      '[connection]',
      'server=https://engine1.domain.com/ovirt-engine/api',
      'user_name=admin@internal',
      'password=pa%ss',
      'ca_file=',
      '',
      '[logging]',
      'logger_conf=ovirt_georep_backup_log.conf',
      '',
      '[snapshot]',
      '#timeout value in minutes',
      'wait_timeout=10',
    ].join('\n'),
  )
  const config = await readConfig(file, { env: {} })
  expect(config.connection).toMatchObject({
    server: 'https://engine1.domain.com/ovirt-engine/api',
    userName: 'admin@internal',
    verifyTls: true,
  })
  expect(config.connection.caFile).toBeUndefined()
  expect(config.connection.password?.reveal()).toBe('pa%ss')
  expect(config.snapshot.waitTimeoutMs).toBe(10 * 60_000)
  expect(config.warnings).toHaveLength(1)
  expect(config.warnings[0]).toMatch(/backup\.cfg:8: \[logging\] logger_conf: has no effect; /)
})

test('has a default for everything but the engine, its user and the password', async () => {
  const config = await readConfig(await aFile(connection), { env })
  expect(config.warnings).toEqual([])
  expect(config).toMatchObject({
    connection: { verifyTls: true, requestTimeoutMs: 60_000, restartMs: 300_000, busyMs: 60_000 },
    logging: { level: 'info' },
    snapshot: { waitTimeoutMs: 600_000, mergeTimeoutMs: 7_200_000, parallel: 4 },
    replication: { timeoutMs: 3_600_000, intervalMs: 1000, stallMs: 30_000 },
    verify: { mode: 'quick', sampleBytes: 8_388_608 },
    state: { dir: '/var/lib/vmbackup', settleMs: 3_600_000, leaseMs: 60_000 },
    event: { origin: 'vmbackup' },
  })
  expect(config.snapshot).toMatchObject({
    mergeParallel: 4,
    mergePerHost: 2,
    mergeStallMs: 1_800_000,
    minFree: { percent: 5 },
  })
  for (const unset of [config.logging.file, config.gluster.command, config.snapshot.storageDomain]) {
    expect(unset).toBeUndefined()
  }
})

test('lists all that is wrong at once, in the order of the file, with what is allowed', async () => {
  const text = `[conection]\n[connection]\nserver = http://e\nuser_nam = x\nwait_timeout = 3\n[snapshot]\nparallel = 99\nwait_timeout = "10m"\nnonsense\n`
  expect(await problemsOf(text)).toEqual([
    'backup.cfg:1: [conection]: is not a known section; did you mean [connection]?',
    'backup.cfg:3: [connection] server: is http: the password would travel unencrypted; allowed: https://HOST/ovirt-engine/api',
    'backup.cfg:4: [connection] user_nam: is not a known key; did you mean user_name?',
    'backup.cfg:5: [connection] wait_timeout: is not a known key; it belongs into [snapshot]',
    'backup.cfg:7: [snapshot] parallel: "99" is not within its bounds; allowed: a whole number from 1 to 32',
    'backup.cfg:8: [snapshot] wait_timeout: is in quotes, which would be part of the value; write it without them',
    'backup.cfg:9: is not a key with a value; allowed: key = value, [section], or a comment after # or ;',
    'backup.cfg: [connection] user_name: is missing; allowed: a line of text',
  ])
})

test('names the known keys where none is like the unknown one', async () => {
  expect(await problemsOf(`${connection}[event]\ncolour = red\n`)).toEqual([
    'backup.cfg:5: [event] colour: is not a known key; known here: origin',
  ])
})

test('lets overrides win, and blames them where they are wrong', async () => {
  const timeout = (value: string) => ({ section: 'replication', key: 'timeout', value, from: '--timeout' })
  const file = await aFile(`${connection}[replication]\ntimeout = 5h\n`)
  const config = await readConfig(file, { env, overrides: [timeout('90')] })
  expect(config.replication.timeoutMs).toBe(90 * 60_000)
  const [problem] = await problemsOf(connection, { overrides: [timeout('soon')] })
  expect(problem).toMatch(/^--timeout: \[replication\] timeout: "soon" is not a length of time; allowed: /)
})

test('reads a command that goes on over indented lines', async () => {
  const file = await aFile(`${connection}[gluster]\ncommand = ssh\n  -o BatchMode=yes\n  root@gp1\n`)
  const { gluster } = await readConfig(file, { env })
  expect(gluster.command).toEqual(['ssh', '-o', 'BatchMode=yes', 'root@gp1'])
})

test('refuses a key that was indented by mistake, without showing it', async () => {
  const text = '[connection]\nserver = https://e\n  user_name = admin@internal\n  password = hunter2\n'
  const problems = await problemsOf(text)
  expect(problems[0]).toMatch(
    /^backup.cfg:2: \[connection\] server: is followed by an indented line that looks like a key/,
  )
  expect(problems.join()).not.toContain('hunter2')
  expect(await problemsOf(`${connection}[gluster]\ncommand = ssh a\n  [event]\n`)).toHaveLength(1)
})

test('refuses a value of two lines where one is meant', async () => {
  expect(await problemsOf(`${connection} again\n`)).toEqual([
    'backup.cfg:3: [connection] user_name: goes on after line 3, because what follows is indented; allowed: one line',
  ])
})

test("counts relative paths from the file's folder", async () => {
  const file = await aFile(`${connection}[state]\ndir = state\n[logging]\nfile = /var/log/x\n`)
  const config = await readConfig(file, { env })
  expect(config.state.dir).toBe(join(dirname(file), 'state'))
  expect(config.logging.file).toBe('/var/log/x')
})

test('refuses certificates that are missing, unreadable or not PEM', async () => {
  const folder = aFolder()
  const problemOf = async (content: string | undefined) => {
    const file = join(folder, 'ca.pem')
    if (content !== undefined) await writeFile(file, content)
    return (await problemsOf(`${connection}ca_file = ${file}\n`)).join()
  }
  expect(await problemOf(undefined)).toMatch(
    /backup.cfg:4: \[connection\] ca_file: cannot be read: there is no such file$/,
  )
  expect(await problemOf('')).toMatch(/holds no certificate; allowed: PEM/)
  expect(await problemOf('-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n')).toMatch(
    /holds a certificate that cannot be read, number 1$/,
  )
})

test('accepts a file of certificates', async () => {
  const folder = aFolder()
  const file = join(folder, 'backup.cfg')
  await writeFile(file, `${connection}ca_file = ca.pem\n`)
  await writeFile(join(folder, 'ca.pem'), rootCertificates.slice(0, 2).join('\n'))
  const config = await readConfig(file, { env })
  expect(config.connection.caFile).toBe(join(folder, 'ca.pem'))
})

test.each([
  ['a file that is not there', undefined, /^cannot read configuration file .*: there is no such file$/],
  ['a file with NULs', 'a\0b', /is not text$/],
  ['a file in another encoding', Uint8Array.of(0x5b, 0xe9, 0x5d), /is not text$/],
  ['a huge file', '#'.repeat(256 * 1024 + 1), /is larger than 256 KiB/],
])('refuses %s', async (_, content, expected) => {
  const file = content === undefined ? join(aFolder(), 'none.cfg') : await aFile(content)
  const error = await readConfig(file, { env }).catch((reason: unknown) => reason)
  expect(error).toBeInstanceOf(UsageError)
  expect((error as UsageError).message).toMatch(expected)
})

test('refuses a file that does not end', async () => {
  await expect(readConfig('/dev/zero', { env })).rejects.toThrow(/larger than 256 KiB/)
})

test('describes itself as a file that gives the same configuration', async () => {
  const text = `${connection}verify_tls = no\n[gluster]\ncommand = ssh -o 'A B' root@gp1\n[replication]\ntimeout = 90s\n[verify]\nsamples = 1M\n`
  const first = await readConfig(await aFile(text), { env })
  const described = await readConfig(await aFile(describeConfig(first)), { env })
  expect({ ...described, file: '' }).toEqual({ ...first, file: '' })
  expect(describeConfig(first)).toContain("command = ssh -o 'A B' root@gp1\n")
  expect(describeConfig(first)).toContain('wait_timeout = 10m\n')
})

test('answers any file with a configuration or a UsageError', async () => {
  const path = await aFile('')
  const line = fc.constantFrom(
    '[connection]',
    '[snapshot]',
    '[gluster]',
    'server = https://e',
    'user_name=a',
    'command = "',
    ' x',
    'wait_timeout: 5',
    'parallel =',
    'password=x',
  )
  const content = fc.oneof(
    fc.uint8Array(),
    fc.string({ unit: 'binary' }),
    fc.array(fc.oneof(line, fc.string()), { maxLength: 12 }).map((lines) => lines.join('\n')),
  )
  await fc.assert(
    fc.asyncProperty(content, async (bytes) => {
      await writeFile(path, bytes)
      const outcome = await readConfig(path, { env }).catch((error: unknown) => error)
      expect(outcome instanceof UsageError || (outcome as { file?: string }).file === path).toBe(true)
    }),
  )
})
