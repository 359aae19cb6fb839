import { createHash } from 'node:crypto'
import type { Severity } from '../model/alert.ts'
import { oneLine } from '../model/shown.ts'
import { compareSeverity, type Letter } from './letter.ts'
import type { Waiting } from './outbox.ts'
import { foldedText, foldedTitle, letterText } from './wording.ts'

/** What goes to a receiver at once: one letter, the letters of one matter, or many that are folded. */
export interface Message {
  /** The same for the same letters to the same receiver, for ever. Hexadecimal. */
  id: string
  kind: Letter['kind'] | 'folded'
  severity: Severity
  /** Of the newest letter in it, epoch milliseconds. */
  at: number
  matter: string
  /** One line. */
  title: string
  /** Lines. */
  text: string
  /** What it tells of; the newest first. */
  letters: Letter[]
  parts: Waiting[]
}

export const foldingMs = 600_000

/**
 * Pure: the messages that are to go to one receiver now, of all that waits for it. Letters about one matter go as one. No more than
 * `foldAbove` messages go within ten minutes, as `sentAt` tells of them: where it would be more, the rest goes as one that lists them, if need be
 * when the ten minutes are over, at `holdUntil`. Summaries and tests are neither folded nor held.
 */
export function compose(
  receiver: string,
  waiting: readonly Waiting[],
  sentAt: readonly number[],
  foldAbove: number,
): { messages: Message[]; holdUntil?: number } {
  const { fixed, free, alone } = sorted(waiting)
  const room = Math.max(0, foldAbove - sentAt.length)
  const groups = fixed.length + free.length <= room || free.length < 2 ? free : [free.flat()]
  const ordered = [...fixed, ...groups].toSorted((one, other) => refusals(one) - refusals(other))
  const [oldest] = sentAt.toSorted((one, other) => one - other)
  return {
    messages: [...alone, ...ordered.slice(0, room)].map((parts) => messageOf(receiver, parts)),
    ...(room === 0 && ordered.length > 0 && oldest !== undefined ? { holdUntil: oldest + foldingMs } : {}),
  }
}

/** Letters that are in a message already, those that may be put together by their matter, and those that go alone. */
function sorted(waiting: readonly Waiting[]): Record<'fixed' | 'free' | 'alone', Waiting[][]> {
  const isAlone = ({ letter: { kind } }: Waiting) => kind === 'digest' || kind === 'test'
  const groups = Object.groupBy(waiting, (one) => {
    if (isAlone(one)) return `alone ${one.seq}`
    return one.message === undefined ? `free ${one.letter.matter}` : `fixed ${one.message}`
  })
  const of = (kind: string) =>
    Object.entries(groups).flatMap(([name, group]) => (name.startsWith(`${kind} `) && group ? [group] : []))
  return { fixed: of('fixed'), free: of('free'), alone: of('alone') }
}

function refusals(parts: readonly Waiting[]): number {
  return Math.max(...parts.map((one) => one.refusals))
}

function messageOf(receiver: string, parts: Waiting[]): Message {
  const letters = parts.map(({ letter }) => letter).toReversed()
  const [newest] = letters
  if (newest === undefined) throw new Error('a message of nothing')
  const id = parts[0]?.message ?? idOf(receiver, letters)
  const at = Math.max(...letters.map((one) => one.at))
  const isOneMatter = letters.every((one) => one.matter === newest.matter)
  if (isOneMatter) {
    const { kind, severity, matter } = newest
    const title = oneLine(newest.title, 300) || oneLine(kind, 40) || 'an alert'
    return { id, kind, severity, at, matter, title, text: letterText(letters), letters, parts }
  }
  const [gravest = newest] = letters.toSorted((one, other) => compareSeverity(other.severity, one.severity))
  const { severity } = gravest
  const title = foldedTitle(letters)
  return {
    id,
    kind: 'folded',
    severity,
    at,
    matter: 'folded',
    title,
    text: foldedText(letters),
    letters,
    parts,
  }
}

function idOf(receiver: string, letters: readonly Letter[]): string {
  const made = createHash('sha256').update(JSON.stringify([receiver, ...letters.map(({ id }) => id)]))
  return made.digest('hex').slice(0, 32)
}
