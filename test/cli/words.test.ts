import { expect, test } from 'vitest'
import { paintFor } from '../../src/cli/paint.ts'
import { lineFor, plainProgress } from '../../src/cli/progress.ts'
import { table } from '../../src/cli/table.ts'
import { durationWords, leftWords, sizeWords } from '../../src/cli/words.ts'
import type { RunEvent } from '../../src/run/event.ts'

test.each([
  [0, '0.0 s'],
  [3_449, '3.4 s'],
  [59_949, '59.9 s'],
  [59_950, '1 min 0 s'],
  [125_000, '2 min 5 s'],
  [3_599_400, '59 min 59 s'],
  [3_599_500, '1 h 0 min'],
  [4_320_000, '1 h 12 min'],
  [360_000_000, '100 h 0 min'],
])('%d ms is "%s"', (ms, words) => {
  expect(durationWords(ms)).toBe(words)
})

test.each([
  [100, 'less than a minute left'],
  [29_999, 'less than a minute left'],
  [45_000, 'about 1 min left'],
  [185_000, 'about 3 min left'],
  [89 * 60_000, 'about 89 min left'],
  [130 * 60_000, 'about 2 h left'],
])('an estimate of %d ms is "%s"', (ms, words) => {
  expect(leftWords(ms)).toBe(words)
})

test.each([
  [0, '0 B'],
  [1, '1 B'],
  [1_023, '1023 B'],
  [1_024, '1.0 KiB'],
  [1_536, '1.5 KiB'],
  [104_857_600, '100 MiB'],
  [1_048_576, '1.0 MiB'],
  [2 ** 40, '1.0 TiB'],
  [2 ** 53, '8.0 PiB'],
])('%d bytes are "%s"', (bytes, words) => {
  expect(sizeWords(bytes)).toBe(words)
})

test('columns are as wide as what a terminal shows, and lines have no blanks at their ends', () => {
  const text = table(
    ['VM', 'STATE'],
    [
      ['データベース', 'protected'],
      ['é\u0301', 'ok'],
      ['plain', ''],
    ],
  )
  expect(text).toBe(
    [
      'VM            STATE',
      '------------  ---------',
      'データベース  protected',
      'é\u0301             ok',
      'plain',
    ].join('\n'),
  )
})

test('a row with too few cells has empty ones', () => {
  expect(table(['A', 'B'], [['x']])).toBe('A  B\n-  -\nx')
})

test.each<[RunEvent, string | undefined]>([
  [{ kind: 'run began', run: 'R' }, 'run R'],
  [{ kind: 'step began', step: 'merge' }, undefined],
  [{ kind: 'step ended', step: 'merge', ms: 1_500 }, 'merge: 1.5 s'],
  [{ kind: 'step ended', step: 'merge', ms: 1_500, error: 'no' }, 'merge: failed after 1.5 s: no'],
  [{ kind: 'vm', vm: { id: '1', name: 'web' }, did: 'merged', done: 1, of: 2 }, 'web: merged (1/2)'],
  [{ kind: 'waiting', what: 'the tide' }, undefined],
  [{ kind: 'note', severity: 'info', text: 'so' }, 'so'],
  [{ kind: 'note', severity: 'warning', text: 'so' }, 'warning: so'],
  [{ kind: 'settled', what: 'stop' }, undefined],
  [{ kind: 'left open', what: 'stop', why: 'no' }, 'still owed: stop: no'],
])('the event %j is the line %j', (event, line) => {
  expect(lineFor(event)).toBe(line)
})

test('off a terminal every line has the time since the start and no escape codes', () => {
  let now = 0
  let text = ''
  const progress = plainProgress(
    (more) => (text += more),
    () => now,
  )
  progress.show({ kind: 'run began', run: 'R' })
  now = 61_000
  progress.show({ kind: 'waiting', what: 'the tide' })
  progress.show({ kind: 'step ended', step: 'merge', ms: 1_000 })
  progress.end()
  expect(text).toBe('[   0.0 s] run R\n[1 min 1 s] merge: 1.0 s\n')
})

test.each([
  ['on a terminal', { isTTY: true }, {}, true],
  ['off a terminal', { isTTY: false }, {}, false],
  ['where nobody knows', {}, {}, false],
  ['with NO_COLOR', { isTTY: true }, { NO_COLOR: '1' }, false],
  ['with an empty NO_COLOR', { isTTY: true }, { NO_COLOR: '' }, true],
  ['on a dumb terminal', { isTTY: true }, { TERM: 'dumb' }, false],
])('%s the text is painted: %#', (_where, stream, env, painted) => {
  expect(paintFor(stream, env).good('yes') !== 'yes').toBe(painted)
})
