import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { isAbsolute } from 'node:path'
import { rootCertificates } from 'node:tls'
import fc from 'fast-check'
import { describeConfig, readConfig } from '../../src/config/config.ts'
import { caFileProblem } from '../../src/config/files.ts'
import { parseIni } from '../../src/config/ini.ts'
import type { Config } from '../../src/config/keys.ts'
import { configKeys } from '../../src/config/keys.ts'
import { secret } from '../../src/config/kinds.ts'
import { passwordSource } from '../../src/config/password.ts'
import { UsageError } from '../../src/model/errors.ts'
import { createTransport } from '../../src/ovirt/transport.ts'
import { agent, agentValues, checkNamed, namedSections } from './agent-sections.ts'
import { anyText, likeText } from './hostile.ts'
import { checkAmount, checkLine, type Parser, parser } from './parser.ts'
import { aPlace } from './place.ts'

const example = readFileSync(new URL('../../backup.cfg.example', import.meta.url), 'utf8')
const original = `[connection]
server = https://engine.example.com/ovirt-engine/api
user_name = admin@internal
password = secret ; of the engine
ca_file =

[logging]
logger_conf = logger.conf

[snapshot]
wait_timeout = 10
`
const newer = `[connection]
server = engine.example.com
server : https://engine.example.com:8443
user_name = admin@ovirt@internalsso
password_command = pass 'show engine' "a b"
verify_tls = no
request_timeout = 90s
[snapshot]
parallel = 8
[gluster]
command = ssh -o 'ProxyCommand=none' root@gp1
[verify]
samples = 64K
rate = 1.5G
`
const values = [
  'https://e.test/ovirt-engine/api',
  '10m',
  '1.5h',
  '64K',
  '8MiB',
  'yes',
  'quick',
  '4',
  '/var/lib/x',
  ...agentValues,
]
const file = likeText(example, original, newer, original + agent)

const certificate = `${rootCertificates[0]}\n`
const certificates = likeText(
  certificate,
  certificate + rootCertificates[1],
  certificate.replaceAll('IFICATE', 'IFICATE'),
)

function checkConfig(config: Config): void {
  const { connection, snapshot, replication, verify, state } = config
  assert.equal(URL.parse(connection.server)?.protocol, 'https:')
  assert.equal(URL.parse(connection.server)?.username, '')
  for (const { section, field } of configKeys) {
    const value = (config as unknown as Record<string, Record<string, unknown>>)[section]?.[field]
    if (typeof value === 'number') checkAmount(value)
  }
  for (const ms of [connection.requestTimeoutMs, snapshot.waitTimeoutMs, replication.intervalMs])
    assert.ok(ms > 0)
  for (const many of [snapshot.parallel, verify.parallel]) assert.ok(many >= 1 && many <= 32)
  assert.ok(isAbsolute(state.dir))
  for (const line of config.warnings) checkLine(line)
  checkNamed(config)
  assert.ok(describeConfig(config).length > 0)
}

async function readText(text: string): Promise<Config> {
  const path = aPlace('backup.cfg')
  await writeFile(path, text, { mode: 0o600 })
  return readConfig(path, { env: { VMBACKUP_PASSWORD: 'secret' } })
}

export const configurationParsers: Parser[] = [
  parser('INI text', {
    input: file,
    read: parseIni,
    refusal: 'none',
    holds: ({ sections, problems }) => {
      for (const { line, what } of problems) {
        assert.ok(Number.isSafeInteger(line) && line > 0)
        checkLine(what.slice(0, 500))
      }
      for (const { keys } of sections.values()) for (const { line } of keys.values()) checkAmount(line)
    },
  }),
  parser('configuration file', {
    input: file,
    read: readText,
    refusal: UsageError,
    lines: 100,
    holds: checkConfig,
  }),
  parser('sections with names of their own', {
    input: namedSections,
    read: (text) => readText(original + text),
    refusal: UsageError,
    lines: 100,
    holds: checkConfig,
  }),
  parser('value of a key', {
    input: fc.tuple(fc.constantFrom(...configKeys), likeText(...values)),
    read: ([{ kind }, text]) => ({ kind, ...kind.schema.safeDecode(text) }),
    refusal: 'none',
    holds: ({ kind, data, error }) => {
      if (error !== undefined) for (const { message } of error.issues) checkLine(message)
      // What is read is written so that it is read as the same.
      else if (kind !== secret) assert.deepEqual(kind.schema.safeDecode(kind.schema.encode(data)).data, data)
    },
  }),
  parser('password from the environment', {
    input: likeText('secret', 'sé cret\n'),
    read: (value) => passwordSource({ connection: noPassword }, { VMBACKUP_PASSWORD: value })(),
    refusal: UsageError,
    holds: checkPassword,
  }),
  parser('password file', {
    input: likeText('secret', 'sé cret\r\n'),
    read: async (text) => {
      const passwordFile = aPlace('password')
      await writeFile(passwordFile, text, { mode: 0o600 })
      return passwordSource({ connection: { ...noPassword, passwordFile } }, {})()
    },
    refusal: UsageError,
    holds: checkPassword,
  }),
  parser('certificates of ca_file', {
    input: certificates,
    read: async (text) => {
      const path = aPlace('ca.pem')
      await writeFile(path, text)
      const problem = await caFileProblem(path)
      if (problem !== undefined) checkLine(problem)
      createTransport({ ca: text, verifyTls: true, timeoutMs: 1000 }).close()
      return problem
    },
    refusal: UsageError,
  }),
  parser('path that is a text of ca_file', { input: anyText, read: caFileProblem, refusal: 'none' }),
]

const noPassword = { password: undefined, passwordFile: undefined, passwordCommand: undefined }

function checkPassword(password: string): void {
  assert.ok(password !== '' && !/[\r\n\0]/.test(password))
}
