import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Kind } from '../../src/config/kind.ts'
import { count, oneOf, serverAddress, yesNo } from '../../src/config/kinds.ts'
import { duration, room, size } from '../../src/config/quantities.ts'
import { words } from '../../src/config/words.ts'

function read<T>(kind: Kind<T>, text: string): T | string {
  const { data, error } = kind.schema.safeDecode(text)
  return error ? error.issues.map(({ message }) => message).join() : (data as T)
}

const minutes = duration('minutes', { from: '10s', to: '1d', zero: 'longest' })
const seconds = duration('seconds', { from: '100ms', to: '1d' })

test.each([
  [minutes, '10', 600_000],
  [seconds, '10', 10_000],
  [minutes, '90s', 90_000],
  [minutes, '10 m', 600_000],
  [minutes, '1.5h', 5_400_000],
  [seconds, '500ms', 500],
  [minutes, '1d', 86_400_000],
])('reads a length of time: %#, %s is %d ms', (kind, text, ms) => {
  expect(read(kind, text)).toBe(ms)
})

test('takes 0 as the longest time only where that is said', () => {
  expect(minutes.allowed).toContain('0 = 1d')
  expect(read(minutes, '0')).toBe(86_400_000)
  expect(read(seconds, '0')).toBe('"0" is too short')
})

test.each(['', 'ten', '-1', '1e3', '10M', '1h30m', '0x10', '1,5h', 'Infinity', '١٠'])(
  'refuses %j as a length of time',
  (text) => {
    expect(read(minutes, text)).toMatch(/is not a length of time$/)
  },
)

test('refuses what is out of bounds', () => {
  expect(read(minutes, '9s')).toBe('"9s" is too short')
  expect(read(minutes, '25h')).toBe('"25h" is too long')
  expect(read(minutes, '999999999999999d')).toBe('"999999999999999d" is too long')
})

test('answers any text with a time within bounds or with what is wrong', () => {
  const text = fc.oneof(fc.string(), fc.stringMatching(/^[0-9.]{0,20} ?[a-zA-Z]{0,3}$/))
  fc.assert(
    fc.property(text, (written) => {
      const value = read(minutes, written)
      expect(typeof value === 'string' || (value >= 10_000 && value <= 86_400_000)).toBe(true)
    }),
  )
})

test('writes a time so that it is read as the same', () => {
  fc.assert(
    fc.property(fc.integer({ min: 10_000, max: 86_400_000 }), (ms) => {
      expect(read(minutes, minutes.schema.encode(ms))).toBe(ms)
    }),
  )
  expect(minutes.schema.encode(600_000)).toBe('10m')
})

test('reads amounts of data in powers of 1024', () => {
  const amount = size({ from: '1K', to: '1T' })
  expect(['2048', '64K', '64k', '1.5M', '1MiB', '1GB'].map((text) => read(amount, text))).toEqual([
    2048, 65_536, 65_536, 1_572_864, 1_048_576, 1_073_741_824,
  ])
  expect(read(amount, '10')).toBe('"10" is too small')
  expect(read(amount, '2T')).toBe('"2T" is too large')
  expect(read(amount, '8 apples')).toBe('"8 apples" is not an amount of data')
  expect(amount.schema.encode(65_536)).toBe('64K')
})

test('reads room on a volume as an amount or as a percentage of it', () => {
  const least = room()
  expect(['0', '20G', '5%', '0.5 %', '90%'].map((text) => read(least, text))).toEqual([
    { bytes: 0 },
    { bytes: 20 * 2 ** 30 },
    { percent: 5 },
    { percent: 0.5 },
    { percent: 90 },
  ])
  expect(read(least, '91%')).toBe('"91%" is too large')
  expect(read(least, '5 apples')).toBe('"5 apples" is neither an amount of data nor a percentage')
  expect([{ percent: 5 }, { bytes: 2 ** 30 }].map((one) => least.schema.encode(one))).toEqual(['5%', '1G'])
})

test('splits a command into words as a shell would, without filling anything in', () => {
  expect(read(words, `ssh -o 'Proxy Command=none' root@"gp 1" $HOME \\ ''`)).toEqual([
    'ssh',
    '-o',
    'Proxy Command=none',
    'root@gp 1',
    '$HOME',
    '\\',
    '',
  ])
})

test('refuses a command with an open quote, without a program, or quoted as a whole', () => {
  expect(read(words, `ssh "root`)).toBe('has a quote that is not closed')
  expect(read(words, `'' x`)).toBe('names no program')
  expect(read(words, `"ssh root@gp1"`)).toMatch(/^is a single word because of the quotes/)
})

test('writes a command so that it is read as the same words', () => {
  const word = fc
    .stringMatching(/^[ -~é]{0,12}$/)
    .filter((text) => !(text.includes('"') && text.includes("'")))
  fc.assert(
    fc.property(fc.array(word, { minLength: 1 }), (rest) => {
      expect(read(words, words.schema.encode(['ssh', ...rest]))).toEqual(['ssh', ...rest])
    }),
  )
})

test('reads yes and no as ConfigParser did', () => {
  expect(['yes', 'TRUE', 'on', '1'].map((text) => read(yesNo, text))).toEqual([true, true, true, true])
  expect(['no', 'False', 'off', '0'].map((text) => read(yesNo, text))).toEqual([false, false, false, false])
  expect(read(yesNo, 'y')).toBe('"y" is neither yes nor no')
  expect(read(yesNo, '__proto__')).toMatch(/neither/)
})

test('reads whole numbers within bounds, both included', () => {
  const parallel = count(1, 32)
  expect(['1', '32'].map((text) => read(parallel, text))).toEqual([1, 32])
  for (const text of ['0', '33', '1.5', '-1', '4 VMs'])
    expect(read(parallel, text)).toMatch(/not within its bounds$/)
})

test('reads a word out of a list in any letter case', () => {
  expect(read(oneOf('quick', 'off'), 'Quick')).toBe('quick')
  expect(read(oneOf('quick', 'off'), 'full')).toBe('"full" is not known')
})

test.each([
  ['https://engine.example.com', 'https://engine.example.com/ovirt-engine/api'],
  ['https://engine.example.com/ovirt-engine/', 'https://engine.example.com/ovirt-engine/api'],
  ['https://engine.example.com:8443/ovirt-engine/api/', 'https://engine.example.com:8443/ovirt-engine/api'],
  ['https://engine.example.com/prefix/api', 'https://engine.example.com/prefix/api'],
])('reads the address %s as the API at %s', (text, address) => {
  expect(read(serverAddress, text)).toBe(address)
})

test('refuses an address that is not plain https, and does not repeat it', () => {
  const refused = [
    'http://e',
    'ftp://e',
    'engine',
    'https://u:hunter2@e',
    'https://e?x=hunter2',
    'https://',
  ].map((text) => read(serverAddress, text))
  expect(refused[0]).toMatch(/^is http: the password would travel unencrypted/)
  expect(refused.every((answer) => /^(is|holds) /.test(answer))).toBe(true)
  expect(refused.join()).not.toContain('hunter2')
})
