import { describe, expect, test } from 'vitest'
import { expression, matches } from '../../src/backup/matches.ts'
import { Failure } from '../../src/model/errors.ts'

describe('a pattern', () => {
  test.each([
    ['web01', 'WEB01'],
    ['WEB*', 'web01'],
    ['*01', 'web01'],
    ['*', ''],
    ['w*b*1', 'web01'],
    ['w**1', 'web01'],
    ['*eb*', 'web01'],
    ['a.c', 'A.C'],
    ['*a*a*', 'aa'],
  ])('%s fits %s', (pattern, name) => expect(matches(pattern, name)).toBe(true))

  test.each([
    ['web', 'web01'],
    ['eb01', 'web01'],
    ['web*1x', 'web01'],
    ['aba*ba', 'aba'],
    ['*a*a*', 'a'],
    ['a.c', 'abc'],
    ['[a-z]*', 'web'],
    ['', 'web'],
    ['w*1*1', 'web01'],
  ])('%s does not fit %s', (pattern, name) => expect(matches(pattern, name)).toBe(false))

  test('of many stars takes no time on a long name', () => {
    const began = performance.now()
    expect(matches(`${'*a'.repeat(100)}b`, 'a'.repeat(255))).toBe(false)
    expect(performance.now() - began).toBeLessThan(100)
  })
})

describe('an expression', () => {
  test('is looked for anywhere in a name, without case', () => {
    expect(['Web-01', 'web1', 'db'].map(expression('^(web|app)-?0'))).toEqual([true, false, false])
    expect(['Web-01', 'web1', 'db'].map(expression('B'))).toEqual([true, true, true])
    expect(['a+', 'aa'].map(expression('\\+$'))).toEqual([true, false])
  })

  test('that would take for ever on a name ends in a moment and says which', () => {
    const slow = expression('^(a+)+$')
    expect(slow('aaa')).toBe(true)
    const began = performance.now()
    expect(() => slow(`${'a'.repeat(254)}!`)).toThrow(Failure)
    expect(() => slow(`${'a'.repeat(254)}!`)).toThrow(/regex:"\^\(a\+\)\+\$" takes too long on the name "aaa/)
    expect(performance.now() - began).toBeLessThan(5_000)
  })
})
