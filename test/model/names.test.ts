import { expect, test } from 'vitest'
import { UsageError } from '../../src/model/errors.ts'
import { parseHost, parseUserName, parseVolumeName } from '../../src/model/names.ts'

const hostile = [
  '',
  ' ',
  '-data',
  '--mode=x',
  '--',
  'a/b',
  'a::b',
  'a b',
  'a\n',
  'a;b',
  '$(a)',
  'a\0',
  '../a',
  "a'b",
  'a@b',
  'é',
  'a'.repeat(300),
]

test.each(hostile)('%j is no volume, no host and no user', (text) => {
  expect(() => parseVolumeName(text)).toThrow(UsageError)
  expect(() => parseHost(text)).toThrow(UsageError)
  expect(() => parseUserName(text)).toThrow(UsageError)
})

test.each(['data', 'data-dr', 'vm_store', '9'])('%s is a volume', (text) => {
  expect(parseVolumeName(text)).toBe(text)
})

test('the word for every volume is no volume', () => {
  expect(() => parseVolumeName('all')).toThrow(UsageError)
})

test.each(['gs1', 'gs1.example.com', '10.77.0.21', 'a-b.c'])('%s is a host', (text) => {
  expect(parseHost(text)).toBe(text)
})

test('a long bad host is refused at once', () => {
  const began = performance.now()
  expect(() => parseHost(`${'a-'.repeat(120)}!`)).toThrow(UsageError)
  expect(performance.now() - began).toBeLessThan(100)
})

test('geoaccount is a user', () => {
  expect(parseUserName('geoaccount')).toBe('geoaccount')
})
