import { describe, expect, test } from 'vitest'
import { parseArgs } from '../../src/cli/args.ts'

const parsed = (...argv: string[]) => parseArgs(argv, '1.2.3')

describe('points', () => {
  test('takes a host and a volume', () => {
    expect(parsed('points', '--at', 'dr1:data-dr')).toEqual({
      kind: 'points',
      at: { host: 'dr1', volume: 'data-dr' },
      json: false,
    })
  })

  test('takes the words that gluster uses for a secondary, too', () => {
    expect(parsed('points', '--at', 'dr1::data-dr')).toMatchObject({ at: { host: 'dr1', volume: 'data-dr' } })
  })

  test.each(['/mnt/data-dr', '/mnt/a:b'])('takes the directory %s', (dir) => {
    expect(parsed('points', '--json', '--at', dir)).toEqual({ kind: 'points', at: { dir }, json: true })
  })

  test.each([
    [['--at', 'data-dr'], 'neither HOST:VOLUME nor a directory'],
    [['--at', 'dr1:'], 'volume'],
    [['--at', ':data-dr'], 'host'],
    [['--at', 'dr1:../etc'], 'neither HOST:VOLUME nor a directory'],
  ])('refuses %j', (argv, words) => {
    expect(() => parsed('points', ...argv)).toThrow(words)
  })
})

describe('verify', () => {
  test('reads all content of the newest point, four disks at a time, as fast as it goes', () => {
    expect(parsed('verify', '--at', '/mnt')).toEqual({
      kind: 'verify',
      at: { dir: '/mnt' },
      points: [],
      content: true,
      parallel: 4,
      json: false,
      quiet: false,
    })
  })

  test('takes names of points and every option', () => {
    const argv = 'one two --at /mnt --no-content --parallel 2 --rate 50 --json -q'.split(' ')
    expect(parsed('verify', ...argv)).toMatchObject({
      points: ['one', 'two'],
      content: false,
      parallel: 2,
      bytesPerSecond: 50 * 1024 * 1024,
      json: true,
      quiet: true,
    })
  })

  test.each([
    ['--parallel', '0'],
    ['--parallel', 'many'],
    ['--rate', '-1'],
    ['--rate', '1.5'],
  ])('refuses %s %s', (option, value) => {
    expect(() => parsed('verify', '--at', '/mnt', option, value)).toThrow('whole number')
  })
})
