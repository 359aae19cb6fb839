import fc from 'fast-check'
import { expect, test } from 'vitest'
import { oneLine, shown } from '../../src/model/shown.ts'
import { anyText } from '../fuzz/hostile.ts'
import { checkLine } from '../fuzz/parser.ts'

test('what is shown of a foreign text is one line that no terminal obeys', () => {
  fc.assert(
    fc.property(anyText, (text) => {
      checkLine(shown(text))
      checkLine(oneLine(text) || 'nothing')
      expect(oneLine(text).isWellFormed()).toBe(true)
    }),
    { numRuns: 1000 },
  )
})

test('ordinary text stays as it is', () => {
  for (const text of ['web-01', 'Süd 💾', 'a: b; c'])
    expect([oneLine(text), shown(text)]).toEqual([text, `"${text}"`])
})

test('a long text is cut', () => {
  expect(oneLine('a'.repeat(20), 10)).toBe(`${'a'.repeat(10)}...`)
  expect(oneLine(`a${' '.repeat(100)}b`, 10)).toBe('a...')
  expect(shown('a'.repeat(20), 10)).toBe(`"${'a'.repeat(10)}..."`)
})

test('what would turn a text around is shown as what it is', () => {
  expect(shown('\u202egnp.exe\x1b[2J')).toBe('"\\u202egnp.exe\\u001b[2J"')
})
