import { describe, expect, test } from 'vitest'
import { leftByEarlier, type Sample, type Took, timeLeft, withTook } from '../../src/backup/time-left.ts'

/** What was pending, every ten seconds. */
const every10s = (...pending: (number | undefined)[]): Sample[] =>
  pending.map((one, index) => ({ at: 1_000_000 + index * 10_000, pending: one }))

describe('the time left by what is pending', () => {
  test('follows the pace since the count last rose', () => {
    expect(timeLeft(every10s(100, 90, 80))).toBe(80_000)
    expect(timeLeft(every10s(10, 5, 300, 240, 180))).toBe(30_000)
  })

  test('grows while nothing is sent', () => {
    expect(timeLeft(every10s(100, 50, 50))).toBe(20_000)
    expect(timeLeft(every10s(100, 50, 50, 50))).toBe(30_000)
  })

  test.each<[string, Sample[]]>([
    ['nothing was told', []],
    ['nothing is counted', every10s(undefined, undefined)],
    ['the count stands still', every10s(48, 48, 48, 48)],
    ['the count rises', every10s(10, 20, 30)],
    ['all is sent', every10s(10, 5, 0)],
    ['too little is sent for a pace', every10s(1000, 990)],
    ['there was one look only', every10s(100)],
    [
      'the looks are too close',
      [
        { at: 0, pending: 100 },
        { at: 2_000, pending: 10 },
      ],
    ],
  ])('is not known where %s', (_, samples) => {
    expect(timeLeft(samples)).toBeUndefined()
  })
})

describe('the time left by earlier runs', () => {
  const facts = (...took: Took[]) =>
    took.reduce<string | undefined>((fact, one) => withTook(fact, one), undefined)

  test('is what the middle one of the last took, less what has passed', () => {
    const fact = facts({ ms: 100_000 }, { ms: 900_000 }, { ms: 120_000 })
    expect(leftByEarlier(fact, 30_000, undefined)).toBe(90_000)
  })

  test('counts only those that had the same limit', () => {
    const fact = facts({ ms: 100_000 }, { ms: 800_000, rate: 1_048_576 })
    expect(leftByEarlier(fact, 0, undefined)).toBe(100_000)
    expect(leftByEarlier(fact, 0, 1_048_576)).toBe(800_000)
    expect(leftByEarlier(fact, 0, 2_097_152)).toBeUndefined()
  })

  test('keeps the last five', () => {
    const fact = facts(...[1, 2, 3, 4, 5, 6, 7].map((ms) => ({ ms })))
    expect(JSON.parse(fact ?? '')).toEqual([3, 4, 5, 6, 7].map((ms) => ({ ms })))
  })

  test('is not known when it takes longer than it ever did', () => {
    expect(leftByEarlier(facts({ ms: 100_000 }), 100_000, undefined)).toBeUndefined()
  })

  test.each([undefined, '', 'null', '{}', '[null, 7, {"ms":"9"}, {"ms":-1}, {"ms":1,"rate":"x"}]', '['])(
    'is not known from a note that says %j',
    (fact) => {
      expect(leftByEarlier(fact, 0, undefined)).toBeUndefined()
      expect(JSON.parse(withTook(fact, { ms: 5 }))).toEqual([{ ms: 5 }])
    },
  )
})
