import { describe, expect, test } from 'vitest'
import { asksForJson, parseArgs } from '../../src/cli/args.ts'
import { UsageError } from '../../src/model/errors.ts'

const three = ['data', 'dr1', 'data-dr']

function refusal(...argv: string[]): UsageError {
  try {
    parseArgs(argv, '1.2.3')
  } catch (error) {
    if (error instanceof UsageError) return error
  }
  throw new Error(`taken: ${argv.join(' ')}`)
}

test('three names are a run with everything else left to the configuration', () => {
  expect(parseArgs(three, '1.2.3')).toEqual({
    kind: 'run',
    dryRun: false,
    pair: { primary: 'data', secondary: { host: 'dr1', volume: 'data-dr' } },
    options: { json: false, verbosity: 'normal' },
  })
})

test('every option has its place', () => {
  const argv = '-c a.cfg --timeout 1.5 --interval 2 --state-dir /s --json --dry-run -v'.split(' ')
  expect(parseArgs([...argv, ...three], '1.2.3')).toMatchObject({
    dryRun: true,
    options: {
      config: 'a.cfg',
      timeoutMinutes: 1.5,
      intervalSeconds: 2,
      stateDir: '/s',
      json: true,
      verbosity: 'verbose',
    },
  })
})

test.each([
  [['--quiet', ...three], 'quiet'],
  [[...three, '-q'], 'quiet'],
  [[...three, '--verbose'], 'verbose'],
])('%j is %s', (argv, verbosity) => {
  expect(parseArgs(argv, '1')).toMatchObject({ options: { verbosity } })
})

test.each([
  ['geo@dr1', { user: 'geo', host: 'dr1' }],
  ['root@dr1.example.com', { user: 'root', host: 'dr1.example.com' }],
  ['192.0.2.7', { host: '192.0.2.7' }],
])('the secondary %s is understood', (host, secondary) => {
  expect(parseArgs(['data', host, 'data-dr'], '1')).toMatchObject({ pair: { secondary } })
})

test('the user of a secondary without one is not set at all', () => {
  expect(parseArgs(three, '1')).not.toHaveProperty('pair.secondary.user')
})

test.each([
  ['no names', [], "missing required argument 'primary-volume'"],
  ['two names', ['data', 'dr1'], "missing required argument 'secondary-volume'"],
  ['four names', [...three, 'more'], 'too many arguments'],
  ['an unknown option', ['--purge', ...three], "unknown option '--purge'"],
  ['an option without its value', [...three, '--config'], 'argument missing'],
  [
    'a volume that is an option to gluster',
    ['--', '-x', 'dr1', 'data-dr'],
    '"-x" is not the name of a Gluster volume',
  ],
  ['a volume that means all', ['all', 'dr1', 'data-dr'], '"all" is not the name of a Gluster volume'],
  ['a volume with a path', ['data', 'dr1', 'data/../x'], '"data/../x" is not the name of a Gluster volume'],
  ['an empty volume', ['', 'dr1', 'data-dr'], '"" is not the name of a Gluster volume'],
  [
    'a host with a volume in it',
    ['data', 'dr1::data-dr', 'data-dr'],
    '"dr1::data-dr" is not the name of a host',
  ],
  ['a host that is an option to ssh', ['data', 'x@-oProxyCommand=x', 'data-dr'], 'is not the name of a host'],
  ['no user before the @', ['data', '@dr1', 'data-dr'], '"" is not the name of a user'],
  ['two users', ['data', 'a@b@dr1', 'data-dr'], '"a@b" is not the name of a user'],
  ['a user with a space', ['data', 'a b@dr1', 'data-dr'], '"a b" is not the name of a user'],
  ['quiet and verbose', ['-q', '-v', ...three], '--quiet and --verbose exclude each other'],
])('%s is refused, and a hint tells what to do', (_what, argv, words) => {
  const error = refusal(...argv)
  expect(error.message).toContain(words)
  expect(error.hint).toMatch(/./)
})

test.each(['0', '-1', 'abc', '', '1e3', '0x10', 'Infinity', '1000001', '5 '])(
  '--timeout %j is refused',
  (value) => {
    const { message } = refusal(...three, '--timeout', value)
    expect(message).toContain("option '--timeout <minutes>'")
    expect(message).toContain('must be a number above 0')
  },
)

describe('what is only said', () => {
  test('--help names every option and every exit code', () => {
    const asked = parseArgs(['--help'], '1.2.3')
    const text = asked.kind === 'say' ? asked.text : ''
    for (const word of [
      '--config',
      '--timeout',
      '--interval',
      '--dry-run',
      '--json',
      '--state-dir',
      '--quiet',
    ]) {
      expect(text).toContain(word)
    }
    for (const code of [
      '0 protected',
      '1 failed',
      '2 usage',
      '3 partly',
      '4 refused',
      '5 another',
      '130 cancelled',
    ]) {
      expect(text).toContain(code)
    }
  })

  test('--version is the version, also before wrong names', () => {
    expect(parseArgs(['--version'], '1.2.3')).toEqual({ kind: 'say', text: '1.2.3\n' })
    expect(parseArgs(['-V', '-x'], '1.2.3')).toEqual({ kind: 'say', text: '1.2.3\n' })
  })
})

test.each([
  [['--json'], true],
  [['--purge', '--json'], true],
  [['--', '--json'], false],
  [[], false],
])('%j asks for JSON: %s', (argv, asks) => {
  expect(asksForJson(argv)).toBe(asks)
})
