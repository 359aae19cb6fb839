import { describe, expect, test } from 'vitest'
import { parseArgs } from '../../src/cli/args.ts'
import { paintFor } from '../../src/cli/paint.ts'
import { renderRecovery } from '../../src/cli/render-recovery.ts'

const parsed = (...argv: string[]) => parseArgs(['recover', ...argv], '1.2.3')
const plain = paintFor({}, {})
const pair = { primary: 'data', secondary: { host: 'gs1', volume: 'data-dr' } }

describe('the arguments of recover', () => {
  test('may be none: then it is for every pair', () => {
    expect(parsed()).toEqual({
      kind: 'recover',
      dryRun: false,
      waive: [],
      options: { json: false, verbosity: 'normal' },
    })
  })

  test('name one pair, as for a run', () => {
    expect(parsed('data', 'geo@gs1', 'data-dr', '--dry-run', '--json', '-q', '-c', 'x.cfg')).toEqual({
      kind: 'recover',
      pair: { primary: 'data', secondary: { user: 'geo', host: 'gs1', volume: 'data-dr' } },
      dryRun: true,
      waive: [],
      options: { config: 'x.cfg', json: true, verbosity: 'quiet' },
    })
  })

  test('name entries to be waived', () => {
    expect(parsed('--waive', '7', '--waive', '12')).toMatchObject({ waive: [7, 12] })
  })

  test.each([
    [['data'], 'all three names'],
    [['data', 'gs1'], 'all three names'],
    [['data', 'gs1', '../x'], 'not the name of a Gluster volume'],
    [['--waive', 'all'], 'number of an entry'],
    [['-q', '-v'], 'exclude each other'],
  ])('are refused: %j', (argv, words) => {
    expect(() => parsed(...argv)).toThrow(words)
  })
})

test('what was owed is told by pair, each with what became of it', () => {
  const text = renderRecovery(
    [
      {
        ...pair,
        outcome: 'left open',
        found: [
          { id: 7, run: 'R1', what: 'unmount of /a', state: 'settled' },
          {
            id: 3,
            run: 'R1',
            what: 'stop of the session',
            state: 'left open',
            why: 'away',
            hint: 'start it',
          },
        ],
      },
      { ...pair, primary: 'clean', outcome: 'settled', found: [] },
    ],
    plain,
  )
  expect(text).toBe(
    `
volume data to gs1:data-dr
NUMBER  WHAT IS OWED         BY RUN  STATE      REASON
------  -------------------  ------  ---------  ------
7       unmount of /a        R1      settled
3       stop of the session  R1      left open  away
  what to do: start it

1 thing is owed`.slice(1),
  )
})

test('a pair that could not be tried says why and what to do', () => {
  const error = { message: 'another run is going on', causes: ['busy'], hint: 'wait' }
  expect(renderRecovery([{ ...pair, outcome: 'locked', found: [], error }], plain)).toBe(
    `
volume data to gs1:data-dr
not tried: another run is going on: busy
  what to do: wait

what is owed is not known`.slice(1),
  )
})

test('nothing owed is said in so many words', () => {
  expect(renderRecovery([], plain)).toBe('nothing is owed')
})
