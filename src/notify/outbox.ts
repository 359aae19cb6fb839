import { type Letter, letterIn } from './letter.ts'
import { OutboxFile } from './outbox-file.ts'
import { hasAllClear, isAllClear, keyOf, type Receiver } from './routing.ts'

/** A letter that one receiver has not got yet. */
export interface Waiting {
  seq: number
  letter: Letter
  takenAt: number
  /** How often the receiver answered no to a message with it. */
  refusals: number
  /** The message that it was put in and that may have arrived: it is sent again as it was, under the same id. */
  message?: string
}

/** How it stands with a receiver that could not be reached. */
export interface Failing {
  receiver: string
  failures: number
  since: number
  nextAt: number
  what: string
}

const dayMs = 86_400_000
const keptMs = 90 * dayMs
const firstPauseMs = 60_000
const longestPauseMs = 3_600_000
const setFact = 'INSERT OR REPLACE INTO outbox_fact (name, value) VALUES (?, ?)'
const setFailing =
  'INSERT OR REPLACE INTO outbox_failing (receiver, failures, since, nextAt, what) VALUES (?, ?, ?, ?, ?)'

/**
 * What is to be sent, durable on disk: a write returns only when it survives a power cut. Writes throw Failure. Times are
 * epoch milliseconds, receivers go by their key.
 */
export class Outbox implements Disposable {
  readonly #file: OutboxFile

  /** Opens or makes the file, and its own tables in it (`:memory:` for an outbox that is forgotten); throws Failure when it cannot. */
  constructor(file: string) {
    this.#file = new OutboxFile(file)
  }

  /** Takes a letter for all of these receivers; false when one of its id was taken before, also when that is sent by now. */
  take(letter: Letter, receivers: readonly Receiver[], now: number): boolean {
    if (receivers.length === 0 || this.knows(letter.id)) return false
    const { id, matter } = letter
    this.#file.change((run) => {
      run('INSERT INTO outbox_told (id, at) VALUES (?, ?)', id, now)
      if (isAllClear(letter)) run('DELETE FROM outbox_matter WHERE matter = ?', matter)
      for (const receiver of receivers.map(keyOf)) {
        const telling = [id, receiver, JSON.stringify(letter), now]
        run('INSERT INTO outbox_telling (id, receiver, letter, takenAt) VALUES (?, ?, ?, ?)', ...telling)
        if (!hasAllClear(letter)) continue
        run(
          'INSERT OR REPLACE INTO outbox_matter (matter, receiver, at) VALUES (?, ?, ?)',
          matter,
          receiver,
          now,
        )
      }
    })
    return true
  }

  /** True when a letter of this id was taken, within the last 90 days at least. */
  knows(id: string): boolean {
    return this.#file.rows('SELECT 1 FROM outbox_told WHERE id = ?', id).length > 0
  }

  /** True when the receiver was told of the matter and of no end of it yet. */
  wasTold(matter: string, receiver: string): boolean {
    const sql = 'SELECT 1 FROM outbox_matter WHERE matter = ? AND receiver = ?'
    return this.#file.rows(sql, matter, receiver).length > 0
  }

  /** Receivers for which something waits. */
  receivers(): string[] {
    const rows = this.#file.rows('SELECT DISTINCT receiver FROM outbox_telling ORDER BY receiver')
    return rows.map((row) => String(row['receiver']))
  }

  /** What waits for a receiver, in the order in which it was taken. */
  waiting(receiver: string): Waiting[] {
    const rows = this.#file.rows('SELECT * FROM outbox_telling WHERE receiver = ? ORDER BY seq', receiver)
    return rows.map((row) => ({
      seq: Number(row['seq']),
      letter: letterIn(String(row['letter']), String(row['id'])),
      takenAt: Number(row['takenAt']),
      refusals: Number(row['refusals']),
      ...(row['message'] === null ? {} : { message: String(row['message']) }),
    }))
  }

  /** When messages went to the receiver since then. */
  sentSince(receiver: string, since: number): number[] {
    const sql = 'SELECT at FROM outbox_sent WHERE receiver = ? AND at > ? ORDER BY at'
    return this.#file.rows(sql, receiver, since).map((row) => Number(row['at']))
  }

  /** Receivers that could not be reached the last time, longest first. */
  failing(): Failing[] {
    return this.#file.rows('SELECT * FROM outbox_failing ORDER BY since, receiver').map((row) => ({
      receiver: String(row['receiver']),
      failures: Number(row['failures']),
      since: Number(row['since']),
      nextAt: Number(row['nextAt']),
      what: String(row['what']),
    }))
  }

  /** Letters not sent yet; those among them whose receiver is failing; those that were given up, ever. */
  counts(): { waiting: number; failing: number; givenUp: number } {
    const count = (where: string) =>
      Number(this.#file.rows(`SELECT count(*) AS n FROM outbox_telling ${where}`)[0]?.['n'])
    const failing = 'WHERE receiver IN (SELECT receiver FROM outbox_failing)'
    return { waiting: count(''), failing: count(failing), givenUp: Number(this.fact('given up') ?? 0) }
  }

  /** Notes, before it is sent, which letters a message is made of. */
  begin(message: string, parts: readonly Pick<Waiting, 'seq'>[]): void {
    this.#file.change((run) => {
      for (const { seq } of parts) run('UPDATE outbox_telling SET message = ? WHERE seq = ?', message, seq)
    })
  }

  /** The receiver has said yes. */
  sent(receiver: string, message: string, now: number): void {
    this.#file.change((run) => {
      run('DELETE FROM outbox_telling WHERE receiver = ? AND message = ?', receiver, message)
      run('DELETE FROM outbox_failing WHERE receiver = ?', receiver)
      run('INSERT INTO outbox_sent (receiver, at) VALUES (?, ?)', receiver, now)
    })
  }

  /**
   * It could not be sent, and is tried again after a pause: 1, 2, 4 minutes and so on, at most an hour. `certain`: it has
   * not arrived, so that its letters may go into another message; `answered`: the receiver was there and said no to this one.
   */
  failed(
    receiver: string,
    message: string,
    { certain, answered, what }: { certain: boolean; answered: boolean; what: string },
    now: number,
  ): Failing {
    const before = this.#failingOf(receiver)
    const failures = (before?.failures ?? 0) + 1
    const nextAt = now + Math.min(firstPauseMs * 2 ** (failures - 1), longestPauseMs)
    const since = before?.since ?? now
    this.#file.change((run) => {
      const which = [receiver, message]
      if (answered) {
        run('UPDATE outbox_telling SET refusals = refusals + 1 WHERE receiver = ? AND message = ?', ...which)
      }
      if (certain)
        run('UPDATE outbox_telling SET message = NULL WHERE receiver = ? AND message = ?', ...which)
      run(setFailing, receiver, failures, since, nextAt, what)
    })
    return { receiver, failures, since, nextAt, what }
  }

  /** These letters are never sent; they are counted. With `refused` the receiver counts as failing because of that. */
  giveUp(
    receiver: string,
    parts: readonly Pick<Waiting, 'seq'>[],
    refused?: { what: string; now: number },
  ): void {
    const before = this.#failingOf(receiver)
    const givenUp = this.counts().givenUp + parts.length
    this.#file.change((run) => {
      for (const { seq } of parts) run('DELETE FROM outbox_telling WHERE seq = ?', seq)
      run(setFact, 'given up', String(givenUp))
      if (refused === undefined) return
      const { what, now } = refused
      // What comes next may be taken, so nothing waits because of this.
      run(setFailing, receiver, (before?.failures ?? 0) + 1, before?.since ?? now, now, what)
    })
  }

  /** Forgets that a receiver was failing: there is no such receiver any more. */
  forget(receiver: string): void {
    this.#file.change((run) => run('DELETE FROM outbox_failing WHERE receiver = ?', receiver))
  }

  fact(name: string): string | undefined {
    return this.#file.fact(name)
  }

  /** Keeps a fact in place of what it was before; without a value it is forgotten. */
  note(name: string, value: string | undefined): void {
    this.#file.change((run) => {
      if (value === undefined) run('DELETE FROM outbox_fact WHERE name = ?', name)
      else run(setFact, name, value)
    })
  }

  /** Drops what is too old to matter; letters that wait are not touched. */
  prune(now: number): void {
    this.#file.change((run) => {
      run('DELETE FROM outbox_told WHERE at < ?', now - keptMs)
      run('DELETE FROM outbox_matter WHERE at < ?', now - keptMs)
      run('DELETE FROM outbox_sent WHERE at < ?', now - dayMs)
    })
  }

  /** Takes over what another one holds, with what it has told and to whom. */
  adopt(other: Outbox): void {
    const tables = ['told', 'matter', 'telling', 'failing', 'sent', 'fact'].map((name) => `outbox_${name}`)
    this.#file.change((run) => {
      for (const table of tables) {
        // A number of the other one means nothing here.
        for (const { seq: _, ...row } of other.#file.rows(`SELECT * FROM ${table}`)) {
          const names = Object.keys(row)
          const values = names.map(() => '?').join()
          run(`INSERT OR IGNORE INTO ${table} (${names.join()}) VALUES (${values})`, ...Object.values(row))
        }
      }
    })
  }

  [Symbol.dispose](): void {
    this.#file[Symbol.dispose]()
  }

  #failingOf(receiver: string): Failing | undefined {
    return this.failing().find((one) => one.receiver === receiver)
  }
}
