import assert from 'node:assert/strict'
import { isAbsolute } from 'node:path'
import fc from 'fast-check'
import { asksForJson, parseArgs } from '../../src/cli/args.ts'
import type { Asked, Place } from '../../src/cli/asked.ts'
import { UsageError } from '../../src/model/errors.ts'
import { parseHost, parseUserName, parseVolumeName } from '../../src/model/names.ts'
import type { Pair } from '../../src/model/pair.ts'
import { anyText, likeText } from './hostile.ts'
import { checkAmount, type Parser, parser } from './parser.ts'

const words = [
  ...[
    'data',
    'gs1',
    'data-dr',
    'geoaccount@gs1',
    'points',
    'verify',
    'recover',
    '--waive',
    '17',
    'help',
    '--at',
    'gs1:data-dr',
    '/mnt/dr',
  ],
  ...[
    'run',
    'status',
    'vms',
    'protect',
    'runs',
    'report',
    'config',
    'check',
    'token',
    'add',
    'pause',
    'daemon',
    '--policy',
    '--limit',
    '--rights',
    '--job',
    '--once',
  ],
  ...[
    '-c',
    '--config',
    '--timeout',
    '--timeout=5',
    '--interval',
    '0.5',
    '--verify',
    'quick',
    '--verify=full',
  ],
  ...['--dry-run', '--json', '--state-dir', '-q', '-v', '--quiet', '-V', '--help', '--', '--no-content'],
  ...['--parallel', '4', '--rate', '20261121T010000Z-00000001'],
]

// The kernel hands over no argument with a NUL.
const argument = fc
  .oneof({ weight: 4, arbitrary: fc.constantFrom(...words) }, { weight: 1, arbitrary: likeText(...words) })
  .map((text) => text.replaceAll('\0', ''))

const commands = [
  ['data', 'gs1', 'data-dr', '--timeout', '5', '--verify', 'full'],
  ['points', '--at', 'gs1:data-dr', '--json'],
  ['protect', 'web01', 'db', '--policy', 'gold'],
  ['runs', '--limit', '5', '--job', 'nightly'],
  ['token', 'add', 'grafana', '--rights', 'read'],
  ['verify', '--at', '/mnt/dr', '20261121T010000Z-00000001', '--parallel', '2', '--rate', '100'],
]

const argv = fc.oneof(
  fc.array(argument, { maxLength: 8 }),
  fc
    .tuple(fc.constantFrom(...commands), fc.nat({ max: 6 }), argument)
    .map(([command, index, word]) => command.with(index % command.length, word)),
)

/** Nothing in it that a command could take for an option, a path or the end of a word. */
function checkName(text: string): void {
  assert.match(text, /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,252}$/)
  assert.ok(!/[\n/]/.test(text) && !text.includes('..'))
}

const name = likeText('data', 'data-dr', 'vm_store', 'gs1.example.com', '10.77.0.21', 'geoaccount')

function checkAsked(asked: Asked): void {
  switch (asked.kind) {
    case 'run':
      checkRun(asked)
      break
    case 'recover':
      for (const number of asked.waive) checkAmount(number)
      if (asked.pair !== undefined) checkPair(asked.pair)
      break
    case 'verify':
      assert.ok(Number.isSafeInteger(asked.parallel) && asked.parallel > 0)
      assert.ok((asked.bytesPerSecond ?? 1) > 0)
      checkPlace(asked.at)
      break
    case 'runs':
      assert.ok(Number.isSafeInteger(asked.limit) && asked.limit > 0)
      break
    case 'protect':
    case 'unprotect':
      assert.ok(asked.vms.length > 0)
      break
    case 'token':
      if (asked.act.does === 'add') assert.ok(['read', 'operate'].includes(asked.act.right))
      break
    case 'points':
      checkPlace(asked.at)
      break
    default:
  }
}

function checkPlace(at: Place): void {
  if ('dir' in at) assert.ok(isAbsolute(at.dir))
  else for (const one of [at.host.replace(/\.$/, ''), at.volume]) checkName(one)
}

function checkRun({ pair, options }: Asked & { kind: 'run' }): void {
  checkPair(pair)
  const { timeoutMinutes = 1, intervalSeconds = 1, verify = 'off' } = options
  assert.ok(timeoutMinutes > 0 && intervalSeconds > 0 && ['quick', 'full', 'off'].includes(verify))
}

function checkPair({ primary, secondary: { user = 'root', host, volume } }: Pair): void {
  for (const one of [primary, user, host.replace(/\.$/, ''), volume]) checkName(one)
}

export const commandLineParsers: Parser[] = [
  parser('name of a volume', {
    input: name,
    read: parseVolumeName,
    refusal: UsageError,
    holds: (answer, text) => {
      assert.equal(answer, text)
      checkName(text)
      assert.ok(!text.includes('.') && text !== 'all')
    },
  }),
  parser('name of a host', {
    input: name,
    read: parseHost,
    refusal: UsageError,
    holds: (answer, text) => {
      assert.equal(answer, text)
      checkName(text.replace(/\.$/, ''))
    },
  }),
  parser('name of a user', {
    input: name,
    read: parseUserName,
    refusal: UsageError,
    holds: (answer, text) => {
      assert.equal(answer, text)
      checkName(text)
    },
  }),
  parser('command line', {
    input: argv,
    read: (some) => ({ asked: parseArgs(some, '1.2.3'), json: asksForJson(some) }),
    refusal: UsageError,
    holds: ({ asked }) => checkAsked(asked),
  }),
  parser('any single argument', {
    input: anyText.map((text) => [text]),
    read: (some) => parseArgs(some, '1'),
  }),
]
