import { execFileSync } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { chmod } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { rootCertificates } from 'node:tls'
import { expect, test } from 'vitest'
import { readConfig } from '../../src/config/config.ts'
import { aFile } from './files.ts'
import { connection, env, problemsOf } from './refusal.ts'

/** What is told of a file that can be used, without the folder it lies in. */
async function warningsOf(text: string): Promise<string[]> {
  const file = await aFile(text)
  const { warnings } = await readConfig(file, { env })
  return warnings.map((warning) => warning.replaceAll(`${dirname(file)}/`, ''))
}

const job = (name: string, ...lines: string[]) =>
  `[job ${name}]\n${['pairs = data dr1 data-dr', 'rpo = 4h', ...lines].join('\n')}\n`
const mail = '[mail]\nserver = mail.example.com:587\nfrom = vmbackup@example.com\n'
const lost =
  'each run overwrites the whole copy of a volume, so what it does not select would lose its recovery point; give both the same select, exclude and exclude_disks'

test.each([
  [
    'a route that there is not',
    `${job('a', 'notify = ops, nobody')}[route ops]\nengine = yes\n`,
    ['backup.cfg:7: [job a] notify: there is no [route nobody]'],
  ],
  [
    'a volume twice in one job',
    '[job a]\npairs = data dr1 a, data dr2 b\nrpo = 1h\n',
    [
      'backup.cfg:5: [job a] pairs: has the volume data twice: a run replicates a volume to one place; make two jobs',
    ],
  ],
  [
    'a blackout of the whole week',
    job('a', 'blackout = Mon-Fri 00:00-24:00, Sat 00:00-24:00, Sun 00:00-12:00, 12:00-00:00'),
    ['backup.cfg:7: [job a] blackout: covers the whole week, so that no run could start'],
  ],
  [
    'jobs of one volume that select differently',
    job('a', 'select = tag:x') + job('b', 'select = tag:y', 'exclude_disks = swap*'),
    [
      `backup.cfg:11: [job b] select: differs from [job a], which has the volume data, too: ${lost}`,
      `backup.cfg:12: [job b] exclude_disks: differs from [job a], which has the volume data, too: ${lost}`,
    ],
  ],
  [
    'jobs of one volume of which one excludes nothing, at the line of its section',
    `${job('a', 'exclude = name:test-*')}[job   b]\npairs = other dr1 o, data dr1 data-dr\nrpo = 1d\n`,
    [`backup.cfg:8: [job b] exclude: differs from [job a], which has the volume data, too: ${lost}`],
  ],
  [
    'policies with one tag',
    '[policy gold]\nrpo = 1h\n[policy silver]\nrpo = 4h\ntag = vmbackup-GOLD\n',
    [
      'backup.cfg:8: [policy silver] tag: cannot have the tag "vmbackup-GOLD", which is that of [policy gold]',
    ],
  ],
  [
    'a policy by the tag that keeps VMs out',
    '[policy none]\nrpo = 1h\n[policy off]\nrpo = 1h\ntag = vmbackup-none\n',
    [
      'backup.cfg:4: [policy none]: cannot be called so: the tag vmbackup-none keeps VMs out of every selection',
      'backup.cfg:8: [policy off] tag: cannot have the tag "vmbackup-none", which keeps VMs out of every selection (vmbackup unprotect)',
    ],
  ],
  [
    'a route to nobody',
    '[route ops]\nseverity = alert\n',
    ['backup.cfg:4: [route ops]: has nothing to send to; set mail, webhook or engine'],
  ],
  [
    'mail without a server and a sender',
    '[route ops]\nmail = ops@example.com\n',
    ['backup.cfg:5: [route ops] mail: needs server and from in [mail]'],
  ],
  [
    'mail without a sender',
    '[mail]\nserver = mail:25\n[route ops]\nmail = ops@example.com\n',
    ['backup.cfg:7: [route ops] mail: needs from in [mail]'],
  ],
  [
    'two secrets of a webhook',
    '[route ops]\nwebhook = https://e.test/\nwebhook_secret = x\nwebhook_secret_file = /none/such\n',
    [
      'backup.cfg:7: [route ops] webhook_secret_file: is set although webhook_secret is; keep one of them',
      'backup.cfg:7: [route ops] webhook_secret_file: cannot be read: there is no such file',
    ],
  ],
  [
    'a password that would travel in plain text',
    `${mail}tls = none\nuser_name = x\npassword = hunter2\n`,
    ['backup.cfg:7: [mail] tls: is none: the password would travel unencrypted'],
  ],
  [
    'a password of nobody, and two of them',
    `${mail}password = hunter2\npassword_file = /none/such\n`,
    [
      'backup.cfg:7: [mail] password: needs user_name',
      'backup.cfg:8: [mail] password_file: is set although password is; keep one of them',
      'backup.cfg:8: [mail] password_file: cannot be read: there is no such file',
    ],
  ],
  [
    'a user without a password',
    `${mail}user_name = x\n`,
    ['backup.cfg:7: [mail] user_name: needs password_file or password'],
  ],
  [
    'certificates of the mail server that are not there',
    `${mail}ca_file = /none/such\n`,
    ['backup.cfg:7: [mail] ca_file: cannot be read: there is no such file'],
  ],
  [
    'an address for everybody without encryption',
    '[api]\nlisten = 0.0.0.0:9736\n',
    [
      'backup.cfg:5: [api] listen: can be reached from other machines: tokens would travel unencrypted; needs cert_file and key_file',
    ],
  ],
  [
    'a certificate without its key, and files that are not there',
    '[api]\nlisten = 127.0.0.1:9736\ncert_file = /none/such\n',
    [
      'backup.cfg:6: [api] cert_file: needs key_file, too',
      'backup.cfg:6: [api] cert_file: cannot be read: there is no such file',
    ],
  ],
])('refuses %s', async (_, text, expected) => {
  expect(await problemsOf(connection + text)).toEqual(expected)
})

test.each([
  ['a job that starts by hand, and says so', '[job a]\npairs = data dr1 d\nenabled = no\n'],
  [
    'jobs of one volume that select alike',
    job('a', 'select = tag:x, name:y') + job('b', 'select = name:y, tag:x'),
  ],
  [
    'jobs of different volumes that select differently',
    `${job('a')}[job b]\npairs = o dr1 o\nrpo = 1h\nselect = tag:x\n`,
  ],
  ['a blackout that leaves a minute', job('a', 'blackout = Mon-Sat 00:00-24:00, Sun 00:00-23:59')],
  ['a webhook on this machine', '[route a]\nwebhook = http://[::1]:8080/x\n'],
  ['an address of this machine', '[api]\nlisten = localhost:9736\n'],
])('takes %s without a word', async (_, text) => {
  expect(await warningsOf(connection + text)).toEqual([])
})

test.each([
  [
    'a job that nothing starts',
    '[job a]\npairs = data dr1 d\n',
    'backup.cfg:4: [job a]: has neither schedule nor rpo, so it starts by hand only; enabled = no says that this is meant',
  ],
  [
    'a selection by policies that there are not',
    job('a', 'select = policy'),
    'backup.cfg:7: [job a] select: picks VMs by their policy, and there is no [policy NAME]',
  ],
  [
    'a route that never sends anything',
    '[route a]\nengine = yes\nseverity = none\n',
    'backup.cfg:6: [route a] severity: is none and there is no digest, so nothing is ever sent',
  ],
  [
    'a webhook that others can read',
    '[route a]\nwebhook = http://e.test/\n',
    'backup.cfg:5: [route a] webhook: is http: what is posted can be read and kept back on the way; use https',
  ],
  [
    'a secret that signs nothing',
    '[route a]\nengine = yes\nwebhook_secret = x\n',
    'backup.cfg:4: [route a]: has a secret and no webhook that it would sign',
  ],
])('warns of %s', async (_, text, expected) => {
  expect(await warningsOf(connection + text)).toEqual([expected])
})

test('warns of a file with a secret that is open to others', async () => {
  const secret = await aFile('x', { name: 'secret', mode: 0o640 })
  const what = `the file is open to others than its owner (mode 0640): chmod 600 ${secret}`
  const route = `[route a]\nwebhook = https://e.test/\nwebhook_secret_file = ${secret}\n`
  expect(await warningsOf(connection + route)).toEqual([
    `backup.cfg:6: [route a] webhook_secret_file: ${what}`,
  ])
  const signOn = `${mail}user_name = x\npassword_file = ${secret}\n`
  expect(await warningsOf(connection + signOn)).toEqual([`backup.cfg:8: [mail] password_file: ${what}`])
})

test.each([
  ['[route a]\nwebhook = https://e.test/\nwebhook_secret = x\n', 'a secret'],
  [`${mail}user_name = x\npassword = y\n`, 'a password'],
])('warns when others can read the configuration although %j stands in it', async (text, what) => {
  const file = await aFile(connection + text)
  await chmod(file, 0o644)
  const { warnings } = await readConfig(file, { env })
  expect(warnings).toEqual([
    `${file} holds ${what} and is open to others than its owner (mode 0644): chmod 600 ${file}`,
  ])
})

test("refuses a key that is not one, or not the certificate's, and shows nothing of it", async () => {
  const certificate = await aFile(rootCertificates[0] ?? '', { name: 'cert.pem' })
  const { privateKey } = generateKeyPairSync('ed25519')
  const other = await aFile(privateKey.export({ type: 'pkcs8', format: 'pem' }), { name: 'key.pem' })
  const none = await aFile('hunter2', { name: 'key.pem' })
  const text = (key: string) =>
    `${connection}[api]\nlisten = 0.0.0.0:9736\ncert_file = ${certificate}\nkey_file = ${key}\n`
  const api = (key: string) => problemsOf(text(key))
  const own = join(dirname(other), 'own.pem')
  const asked = [
    'req',
    '-x509',
    '-newkey',
    'ed25519',
    '-nodes',
    '-subj',
    '/CN=a',
    '-keyout',
    own,
    '-out',
    certificate,
  ]
  expect(await api(other)).toEqual(['backup.cfg:7: [api] key_file: does not belong to cert_file'])
  expect(await api(none)).toEqual([
    'backup.cfg:7: [api] key_file: is not a key; allowed: PEM (-----BEGIN PRIVATE KEY-----), without a password',
  ])
  execFileSync('openssl', asked, { stdio: 'pipe' })
  expect(await warningsOf(text(own))).toEqual([])
})
