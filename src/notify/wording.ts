import type { Severity } from '../model/alert.ts'
import { oneLine } from '../model/shown.ts'
import { compareSeverity, type Letter } from './letter.ts'

/** Of a list of letters, so many are named; of the others there is the count. */
export const mostNamed = 20
const longestText = 20_000

/** A time for people: to the second, in UTC. */
function utc(at: number): string {
  return `${new Date(at).toISOString().slice(0, 19).replace('T', ' ')} UTC`
}

const goodNews: ReadonlySet<string> = new Set(['run protected', 'rpo clear', 'trouble over'])

/**
 * How grave it is, in a word for a subject. An all-clear goes to whoever was told of the trouble, by the trouble's severity, but it is none;
 * what is neither grave nor an all-clear has no word.
 */
export function severityWord({ kind, severity }: { kind: string; severity: Severity }): string {
  if (severity === 'normal') return ''
  return goodNews.has(kind) ? 'OK' : severity.toUpperCase()
}

/** What letters about one matter say, newest first: the newest in full, the earlier ones by a line each. */
export function letterText(letters: readonly Letter[]): string {
  const [newest, ...earlier] = letters
  if (newest === undefined) return ''
  if (newest.kind === 'digest') return inLines(newest.text)
  const { at, job, vm, run, text } = newest
  const facts = { When: utc(at), Job: job, VM: vm, Run: run }
  const lines = Object.entries(facts).flatMap(([name, value]) =>
    value === undefined ? [] : [`${`${name}:`.padEnd(6)}${oneLine(value)}`],
  )
  const before =
    earlier.length === 0
      ? []
      : ['', 'Before this, of the same matter, and not sent until now:', ...listed(earlier)]
  return [inLines(text), '', ...lines, ...before].join('\n')
}

/** Text of several lines, with nothing in it that a terminal or a mail program would obey. */
function inLines(text: string): string {
  const cut = text.length > longestText ? `${text.slice(0, longestText)}...` : text
  return cut
    .toWellFormed()
    .split(/\r?\n/)
    .map((line) => line.replace(/[\p{Cc}\p{Bidi_Control}\u2028\u2029]+/gu, ' ').trimEnd())
    .join('\n')
    .trim()
}

/** How many messages of which kinds were folded. */
export function foldedTitle(letters: readonly Letter[]): string {
  const kinds = Map.groupBy(letters, ({ kind }) => kind)
  const counts = [...kinds].map(([kind, ones]) => `${ones.length} ${oneLine(kind, 40)}`)
  return oneLine(`${letters.length} messages: ${counts.join(', ')}`, 300)
}

/** The folded letters, gravest first, each by its first line. */
export function foldedText(letters: readonly Letter[]): string {
  const first =
    'Many messages at once; this one stands for all of them. `vmbackup status` shows how things are now.'
  const ordered = letters.toSorted((one, other) => compareSeverity(other.severity, one.severity))
  return [first, '', ...listed(ordered)].join('\n')
}

/** A line for each letter; those beyond the first 20 as a count by kind. */
export function listed(letters: readonly Letter[]): string[] {
  const lines = letters.slice(0, mostNamed).map((letter) => {
    const word = severityWord(letter)
    const { at, title } = letter
    return `  ${utc(at)}  ${word === '' ? '' : `${word}: `}${oneLine(title, 200)}`
  })
  const more = letters.slice(mostNamed)
  if (more.length === 0) return lines
  return [...lines, `  and ${more.length} more: ${foldedTitle(more).replace(/^\d+ messages: /, '')}`]
}
