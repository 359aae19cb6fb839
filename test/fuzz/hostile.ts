import fc from 'fast-check'

/** Texts that have fooled parsers, commands and terminals before. */
export const nasty: readonly string[] = [
  '',
  ' ',
  '-x',
  '--',
  '--remote-host=evil',
  '-oProxyCommand=id',
  '..',
  '../..',
  '../../etc/passwd',
  '/etc/passwd',
  '.',
  'a/b',
  '~root',
  '$(id)',
  '`id`',
  '; rm -rf /',
  "' || true '",
  '"',
  '%s%n',
  '\n',
  'a\nb',
  '\r',
  'a\rb',
  '\0',
  'a\0b',
  '\x1b[2J\x1b]0;evil\x07',
  '\x7f',
  '\u0085',
  '\u009b31m',
  '\u2028',
  '\u202egnp.exe',
  '\ufeff',
  '\ud800',
  '\udfff',
  'dаta',
  'ａｌｌ',
  '∕etc∕passwd',
  '١٢٣',
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  'null',
  'undefined',
  'NaN',
  'Infinity',
  '-Infinity',
  '-0',
  '-1',
  '0',
  '0x10',
  '1e999',
  '1.5',
  '9007199254740993',
  '18446744073709551616',
  '9'.repeat(400),
  'all',
  'true',
  '[]',
  '{}',
  '&lt;',
  '&#x110000;',
  '&#0;',
  '<!DOCTYPE a [<!ENTITY b "c">]>',
  '<![CDATA[x',
  '<!--',
  '<title></title>',
  '00000000-0000-0000-0000-000000000000',
  '0B6A2F5E-6F2C-4D0B-9A53-5F3F0F0C7D11',
  '0b6a2f5e-6f2c-4d0b-9a53-5f3f0f0c7d11\n',
  '0b6a2f5e-6f2c-4d0b-9a53-5f3f0f0c7d11/..',
]

const long = fc
  .tuple(fc.constantFrom(...nasty, 'a', '[', '{', '<', '<a>', '(', 'a='), fc.integer({ min: 50, max: 6000 }))
  .map(([piece, times]) => piece.repeat(times).slice(0, 20_000))

/** Any text: what is nasty, what is random, and now and then what is very long. */
export const anyText: fc.Arbitrary<string> = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...nasty) },
  { weight: 4, arbitrary: fc.string({ unit: 'binary', maxLength: 40 }) },
  { weight: 3, arbitrary: fc.string({ maxLength: 40 }) },
  { weight: 1, arbitrary: long },
)

type Edit = (text: string) => string

// A place in a text of any length, so that an edit means something after those before it, too.
const place = fc.nat({ max: 0xffff })

function at(text: string, where: number): number {
  return Math.floor((where / 0x10000) * (text.length + 1))
}

const edit: fc.Arbitrary<Edit> = fc.oneof(
  place.map(
    (where): Edit =>
      (text) =>
        text.slice(0, at(text, where)),
  ),
  place.map(
    (where): Edit =>
      (text) =>
        text.slice(at(text, where)),
  ),
  fc.tuple(place, fc.integer({ min: 1, max: 200 })).map(
    ([where, many]): Edit =>
      (text) =>
        text.slice(0, at(text, where)) + text.slice(at(text, where) + many),
  ),
  fc.tuple(place, anyText).map(
    ([where, piece]): Edit =>
      (text) =>
        text.slice(0, at(text, where)) + piece + text.slice(at(text, where)),
  ),
  fc.tuple(place, fc.nat({ max: 0xff })).map(
    ([where, code]): Edit =>
      (text) =>
        text.slice(0, at(text, where)) + String.fromCharCode(code) + text.slice(at(text, where) + 1),
  ),
  fc.tuple(place, fc.integer({ min: 1, max: 300 }), fc.integer({ min: 2, max: 60 })).map(
    ([where, many, times]): Edit =>
      (text) =>
        text.slice(0, at(text, where)) + text.slice(at(text, where)).slice(0, many).repeat(times) + text,
  ),
  fc.tuple(place, anyText).map(
    ([which, piece]): Edit =>
      (text) =>
        replaceNth(text, /\d+/g, which, piece),
  ),
  // A whole word or value is replaced, so that what is around it stays readable.
  fc.tuple(place, anyText).map(
    ([which, piece]): Edit =>
      (text) =>
        replaceNth(text, /[^\s"'<>=:,;/]+/g, which, piece),
  ),
  fc.tuple(place, anyText).map(
    ([which, piece]): Edit =>
      (text) =>
        replaceNth(text, /(?<=["'>=])[^"'<>\n]*/g, which, piece),
  ),
  fc.tuple(place, place).map(
    ([which, other]): Edit =>
      (text) =>
        withLine(text, which, () => lineOf(text, other)),
  ),
  place.map(
    (which): Edit =>
      (text) =>
        withLine(text, which, () => undefined),
  ),
  place.map(
    (which): Edit =>
      (text) =>
        withLine(text, which, (line) => `${line}\n${line}`),
  ),
)

function replaceNth(text: string, pattern: RegExp, which: number, piece: string): string {
  const found = [...text.matchAll(pattern)]
  const one = found[Math.floor((which / 0x10000) * found.length)]
  return one === undefined ? text : text.slice(0, one.index) + piece + text.slice(one.index + one[0].length)
}

function lineOf(text: string, which: number): string {
  const lines = text.split('\n')
  return lines[Math.floor((which / 0x10000) * lines.length)] ?? ''
}

function withLine(text: string, which: number, change: (line: string) => string | undefined): string {
  const lines = text.split('\n')
  const index = Math.floor((which / 0x10000) * lines.length)
  const changed = change(lines[index] ?? '')
  return lines.toSpliced(index, 1, ...(changed === undefined ? [] : [changed])).join('\n')
}

/** A good text as it may arrive: cut off, with parts lost, doubled or replaced; or another text altogether. */
export function likeText(...samples: readonly string[]): fc.Arbitrary<string> {
  const edited = fc
    .tuple(fc.constantFrom(...samples), fc.array(edit, { maxLength: 4 }))
    .map(([sample, edits]) => edits.reduce((text, change) => change(text), sample).slice(0, 200_000))
  return fc.oneof({ weight: 9, arbitrary: edited }, { weight: 1, arbitrary: anyText })
}

/** The same for bytes; beside the edits of texts, numbers of 32 and 64 bits are set to their extremes. */
export function likeBytes(...samples: readonly Buffer[]): fc.Arbitrary<Buffer> {
  const number = fc.tuple(place, fc.constantFrom(4, 8), fc.constantFrom(0, 1, 0x7f, 0x80, 0xff)).map(
    ([where, width, byte]): Edit =>
      (text) =>
        text.slice(0, at(text, where) & ~3) +
        String.fromCharCode(byte).repeat(width) +
        text.slice((at(text, where) & ~3) + width),
  )
  const edited = fc
    .tuple(fc.constantFrom(...samples), fc.array(fc.oneof(edit, number), { maxLength: 4 }))
    .map(([sample, edits]) => edits.reduce((text, change) => change(text), sample.toString('latin1')))
  const random = fc.uint8Array({ maxLength: 2000 }).map((bytes) => Buffer.from(bytes))
  return fc.oneof(
    { weight: 9, arbitrary: edited.map((text) => Buffer.from(text.slice(0, 200_000), 'latin1')) },
    { weight: 1, arbitrary: random },
  )
}
