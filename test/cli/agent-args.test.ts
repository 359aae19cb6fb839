import { describe, expect, test } from 'vitest'
import { parseArgs } from '../../src/cli/args.ts'
import { UsageError } from '../../src/model/errors.ts'

const usual = { json: false, verbosity: 'normal' }
const parsed = (words: string) => parseArgs(words.split(' '), '1.2.3')

function refusal(words: string): UsageError {
  try {
    parsed(words)
  } catch (error) {
    if (error instanceof UsageError) return error
  }
  throw new Error(`taken: ${words}`)
}

test.each([
  ['daemon', { kind: 'daemon', options: usual }],
  ['daemon -v', { kind: 'daemon', options: { ...usual, verbosity: 'verbose' } }],
  ['run nightly', { kind: 'run job', job: 'nightly', options: usual }],
  ['run nightly --verify full -q', { kind: 'run job', options: { verify: 'full', verbosity: 'quiet' } }],
  ['status', { kind: 'status', once: false, options: usual }],
  ['status --once --json', { kind: 'status', once: true, options: { ...usual, json: true } }],
  ['jobs', { kind: 'jobs', options: usual }],
  ['pause nightly', { kind: 'job act', act: 'pause', job: 'nightly' }],
  ['resume nightly', { kind: 'job act', act: 'resume', job: 'nightly' }],
  ['cancel nightly', { kind: 'job act', act: 'cancel', job: 'nightly' }],
  ['vms --job nightly', { kind: 'vms', job: 'nightly' }],
  ['protect web01 web02 --policy gold', { kind: 'protect', vms: ['web01', 'web02'], policy: 'gold' }],
  ['unprotect web01', { kind: 'unprotect', vms: ['web01'] }],
  ['runs', { kind: 'runs', limit: 20 }],
  ['history --limit 3 --job x', { kind: 'runs', limit: 3, job: 'x' }],
  ['report 2026', { kind: 'report', run: '2026' }],
  ['points', { kind: 'known points', options: usual }],
  ['points --at dr1:copy', { kind: 'points', at: { host: 'dr1', volume: 'copy' } }],
  ['config check -c a.cfg', { kind: 'config check', options: { ...usual, config: 'a.cfg' } }],
  ['token add x --rights read', { kind: 'token', act: { does: 'add', name: 'x', right: 'read' } }],
  ['token list', { kind: 'token', act: { does: 'list' } }],
  ['token remove x', { kind: 'token', act: { does: 'remove', name: 'x' } }],
])('"%s" is understood', (words, asked) => {
  expect(parsed(words)).toMatchObject(asked)
})

test('options may stand before the command, too', () => {
  expect(parsed('-c a.cfg --json jobs')).toEqual(parsed('jobs --json -c a.cfg'))
})

test.each([
  'run nightly --dry-run',
  '--dry-run run nightly',
  'status --timeout 5',
  'vms --verify full',
  'token list --interval 5',
  'recover --timeout 5',
  'points --at dr1:copy --dry-run',
])('"%s" is refused: an option that means nothing is not passed over', (words) => {
  expect(refusal(words).message).toMatch(/^--[a-z-]+ is no option of vmbackup [a-z]+$/)
})

describe('a word that is no command', () => {
  test.each([
    ['statsu', 'status'],
    ['stauts --json', 'status'],
    ['histroy', 'history'],
    ['protec web01', 'protect'],
    ['jobz', 'jobs'],
  ])('"%s" is answered with the one that was meant', (words, command) => {
    expect(refusal(words)).toMatchObject({
      message: `there is no command "${words.split(' ')[0]}"`,
      hint: `did you mean: vmbackup ${command}`,
    })
  })

  test('is a volume where three names are given', () => {
    expect(parsed('statsu dr1 copy')).toMatchObject({ kind: 'run', pair: { primary: 'statsu' } })
  })
})

test.each(['vms', 'jobs', 'runs', 'history', 'status', 'points', 'daemon'])(
  'a volume called %s is replicated as ever',
  (name) => {
    const pair = { primary: name, secondary: { user: 'geo', host: 'dr1', volume: `${name}-dr` } }
    expect(parsed(`${name} geo@dr1 ${name}-dr --dry-run`)).toMatchObject({ kind: 'run', dryRun: true, pair })
    expect(refusal(`${name} dr1`).message).toContain('too many arguments for')
  },
)

test.each([
  ['run', "missing required argument 'job'"],
  ['protect', "missing required argument 'vm'"],
  ['pause a b', "too many arguments for 'pause'"],
  ['runs --limit 0', 'must be a whole number above 0'],
  ['token add x', "required option '--rights <rights>'"],
  ['token add x --rights all', 'Allowed choices are read, operate'],
  ['config', 'vmbackup config does nothing by itself'],
  ['config chek', 'Did you mean check?'],
])('"%s" is refused, and a hint tells what to do', (words, message) => {
  const error = refusal(words)
  expect(error.message).toContain(message)
  expect(error.hint).toMatch(/--help/)
})

test.each([
  'daemon',
  'run',
  'status',
  'jobs',
  'pause',
  'resume',
  'cancel',
  'vms',
  'protect',
  'unprotect',
  'runs',
  'report',
  'points',
  'verify',
  'recover',
  'config check',
  'token add',
  'token list',
  'token remove',
])('%s --help teaches, with exit codes', (command) => {
  const asked = parsed(`${command} --help`)
  expect(asked).toMatchObject({ kind: 'say', text: expect.stringContaining('Exit codes') })
  expect(parsed('--help')).toMatchObject({ text: expect.stringContaining(`\n  ${command.split(' ')[0]}`) })
})
