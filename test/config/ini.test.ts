import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseIni } from '../../src/config/ini.ts'

function valuesOf(text: string): Record<string, string> {
  const { sections, problems } = parseIni(text)
  expect(problems).toEqual([])
  return Object.fromEntries(
    [...sections].flatMap(([section, { keys }]) =>
      [...keys].map(([key, { value }]) => [`${section}.${key}`, value]),
    ),
  )
}

function problemsOf(text: string): string[] {
  return parseIni(text).problems.map(({ line, what }) => `${line}: ${what}`)
}

test('reads key = value and key: value, and keeps = and : inside a value', () => {
  expect(valuesOf('[a]\nx = https://h/?a=b\ny: c:d = e\nz=\n')).toEqual({
    'a.x': 'https://h/?a=b',
    'a.y': 'c:d = e',
    'a.z': '',
  })
})

test('knows the line of every section and key', () => {
  const { sections } = parseIni('# first\n\n[a]\n; second\nx = 1\n[b]\ny = 2')
  expect([...sections].map(([name, { line, keys }]) => [name, line, [...keys.values()][0]?.line])).toEqual([
    ['a', 3, 5],
    ['b', 6, 7],
  ])
})

test('reads keys in any letter case, as the original tool did', () => {
  expect(valuesOf('[a]\nServer = x')).toEqual({ 'a.server': 'x' })
})

test('reads files from Windows and with a byte order mark', () => {
  expect(valuesOf('\uFEFF[a]\r\nx = 1\r\ny = 2\r\n')).toEqual({ 'a.x': '1', 'a.y': '2' })
})

test('takes quotes as part of a value, but a bare pair as nothing', () => {
  expect(valuesOf('[a]\nx = "1"\ny = ""')).toEqual({ 'a.x': '"1"', 'a.y': '' })
})

test('takes what follows a space and a semicolon as a comment, and no other semicolon or #', () => {
  expect(valuesOf('[a]\nx = 10 ; minutes\ny = a;b\nz = ;c\nw = a #b')).toEqual({
    'a.x': '10',
    'a.y': 'a;b',
    'a.z': ';c',
    'a.w': 'a #b',
  })
})

test('continues a value on indented lines, over comments and empty lines', () => {
  expect(valuesOf('[a]\nx = 1\n  2\n# no\n\n\t3\ny = 4')).toEqual({ 'a.x': '1\n2\n3', 'a.y': '4' })
})

test('refuses a key that is there twice, with both lines, and keeps the first', () => {
  const text = '[a]\nx = 1\nX = 2\n more'
  expect(problemsOf(text)).toEqual(['3: the key is there twice, first at line 2; keep one of them'])
  expect(parseIni(text).sections.get('a')?.keys.get('x')?.value).toBe('1')
})

test('refuses a section that is there twice, with both lines', () => {
  expect(problemsOf('[a]\nx = 1\n[a]\nx = 2')).toEqual([
    '3: section [a] is there twice, first at line 1; put its keys together',
  ])
})

test('goes on reading after a line it cannot read, and never repeats that line', () => {
  const { sections, problems } = parseIni(
    'hunter2 = x\n[a]\nhunter2\n[hunter2\n[b]\nx = 1\ny = hun\u0007ter2',
  )
  expect(problems.map(({ line }) => line)).toEqual([1, 3, 4, 7])
  expect(JSON.stringify(problems)).not.toContain('hunter2')
  expect(sections.get('b')?.keys.get('x')?.value).toBe('1')
})

test('reads the same from any written file as was put in', () => {
  const name = fc.stringMatching(/^[a-z][a-z0-9_]{0,9}$/)
  const value = fc.stringMatching(/^[!-:<-~é]([ -:<-~é]{0,20}[!-:<-~é])?$/).filter((text) => text !== '""')
  const file = fc.dictionary(name, fc.dictionary(name, value, { noNullPrototype: true }), {
    noNullPrototype: true,
  })
  fc.assert(
    fc.property(file, fc.constantFrom('\n', '\r\n'), (sections, newline) => {
      const lines = Object.entries(sections).flatMap(([section, keys]) => [
        `[${section}]`,
        ...Object.entries(keys).map(([key, text]) => `${key} = ${text}`),
      ])
      const expected = Object.entries(sections).flatMap(([section, keys]) =>
        Object.entries(keys).map(([key, text]) => [`${section}.${key}`, text]),
      )
      expect(valuesOf(lines.join(newline))).toEqual(Object.fromEntries(expected))
    }),
  )
})

test('answers any text with sections and problems whose lines exist', () => {
  const piece = fc.oneof(
    fc.constantFrom('[', ']', '=', ':', '\n', '\r', ' ', ';', '#', '\0', 'a'),
    fc.string(),
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => {
      const text = pieces.join('')
      const { sections, problems } = parseIni(text)
      const lines = [
        ...problems,
        ...sections.values(),
        ...[...sections.values()].flatMap(({ keys }) => [...keys.values()]),
      ]
      const last = text.split('\n').length
      expect(lines.every(({ line }) => line >= 1 && line <= last)).toBe(true)
    }),
  )
})

test('reads a hostile line of 200,000 letters at once', () => {
  const began = performance.now()
  for (const hostile of [`a${' '.repeat(200_000)}`, '['.repeat(200_000), `a = ${' ;'.repeat(100_000)}`])
    parseIni(hostile)
  expect(performance.now() - began).toBeLessThan(1000)
})

test('a value of as many lines as a file can hold is read at once', () => {
  const began = performance.now()
  const { sections } = parseIni(`[a]\nb =\n${' c\n'.repeat(85_000)}`)
  expect(sections.get('a')?.keys.get('b')?.value).toHaveLength(85_000 * 2 - 1)
  expect(performance.now() - began).toBeLessThan(1000)
})
