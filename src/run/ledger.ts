// Five rules keep a run's surroundings clean, and this file is where they are kept:
// 1. Owe before you act: the entry is on disk before the request goes out.
// 2. Everything we make carries the run's stamp, so it is found without the id we never received.
// 3. Settling looks first: absent = done, repeating is harmless.
// 4. Settling never gets the run's signal; it has its own deadline.
// 5. All is tried, newest first; what fails stays here and in the report.

import type { DatabaseSync, SQLInputValue } from 'node:sqlite'
import { Failure } from '../model/errors.ts'
import { openDurable } from './durable.ts'
import { type Obligation, type Owed, obligationIn } from './obligation.ts'

/** Of what is in the file; a file of a later one is not touched. */
const version = 1
const schema = `
  CREATE TABLE IF NOT EXISTS obligation (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    pair TEXT NOT NULL,
    run TEXT NOT NULL,
    what TEXT NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS run (
    id TEXT PRIMARY KEY,
    pair TEXT NOT NULL,
    startedAt TEXT NOT NULL,
    report TEXT NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS fact (
    pair TEXT NOT NULL,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (pair, name)
  ) STRICT;`

/** For some hundred entries, in the file and in its journal. */
const reserveBytes = 256 * 1024
// It is there already where somebody was killed between these lines.
const reserve = `
  DROP TABLE IF EXISTS reserve;
  CREATE TABLE reserve (bytes BLOB) STRICT;
  INSERT INTO reserve VALUES (zeroblob(${reserveBytes}));
  UPDATE reserve SET bytes = randomblob(${reserveBytes});
  DROP TABLE reserve;`
const setUp = `
  PRAGMA locking_mode = EXCLUSIVE;
  ${schema}
  ${reserve}
  PRAGMA user_version = ${version};
  PRAGMA locking_mode = NORMAL;
  SELECT 1 FROM obligation;`

/** What is owed for one volume pair, durable on disk: a write returns only when it survives a power cut. Writes throw Failure. */
export class Ledger implements Disposable {
  readonly #db: DatabaseSync
  readonly #file: string
  readonly #pair: string

  /** Opens or makes the file (`:memory:` for a ledger that is forgotten); throws Failure when it cannot. */
  constructor(file: string, pair: string) {
    this.#file = file
    this.#pair = pair
    this.#db = open(file)
  }

  /** Writes down what will be owed, before the act. */
  owe(run: string, what: Obligation): Owed {
    const { lastInsertRowid } = this.#write(
      'INSERT INTO obligation (pair, run, what) VALUES (?, ?, ?)',
      this.#pair,
      run,
      JSON.stringify(what),
    )
    return { id: Number(lastInsertRowid), run, what }
  }

  /** Strikes out one entry: the world was seen to agree. */
  strike(owed: Owed): void {
    this.#write('DELETE FROM obligation WHERE id = ?', owed.id)
  }

  /** All that is owed for this pair, newest first. */
  open(): Owed[] {
    return this.#owed('pair = ?').map(({ id, run, what }) => ({ id, run, what }))
  }

  /** All that is owed for other pairs, newest first. */
  openElsewhere(): (Owed & { pair: string })[] {
    return this.#owed('pair <> ?')
  }

  #owed(where: string): (Owed & { pair: string })[] {
    const rows = this.#db
      .prepare(`SELECT id, pair, run, what FROM obligation WHERE ${where} ORDER BY id DESC`)
      .all(this.#pair)
    return rows.map((row) => ({
      id: Number(row['id']),
      pair: String(row['pair']),
      run: String(row['run']),
      what: obligationIn(String(row['what'])),
    }))
  }

  /** Keeps a finished run's report. */
  remember(report: { run: string; startedAt: string }): void {
    this.#write(
      'INSERT OR REPLACE INTO run (id, pair, startedAt, report) VALUES (?, ?, ?, ?)',
      report.run,
      this.#pair,
      report.startedAt,
      JSON.stringify(report),
    )
  }

  /** Forgets reports of runs that began before that moment; `kept` is the id of one that stays. */
  forgetBefore(at: Date, kept: string | undefined): void {
    const sql = 'DELETE FROM run WHERE pair = ? AND startedAt < ? AND id <> ?'
    this.#write(sql, this.#pair, at.toISOString(), kept ?? '')
  }

  /** Keeps a fact for later runs of this pair, in place of what it was before. */
  note(name: string, value: string): void {
    if (this.recall(name) === value) return
    this.#write('INSERT OR REPLACE INTO fact (pair, name, value) VALUES (?, ?, ?)', this.#pair, name, value)
  }

  /** What an earlier run noted. */
  recall(name: string, pair = this.#pair): string | undefined {
    const row = this.#db.prepare('SELECT value FROM fact WHERE pair = ? AND name = ?').get(pair, name)
    return row === undefined ? undefined : String(row['value'])
  }

  #write(sql: string, ...values: SQLInputValue[]) {
    try {
      return this.#db.prepare(sql).run(...values)
    } catch (cause) {
      throw new Failure(`cannot write into the state file ${this.#file}`, {
        cause,
        hint: 'check that [state] dir is writable and not full; what is owed by now is settled by the next start or by `vmbackup recover`',
      })
    }
  }

  [Symbol.dispose](): void {
    this.#db.close()
  }
}

function open(file: string): DatabaseSync {
  const words = {
    message: `cannot open the state file ${file}`,
    hint: 'check that [state] dir is writable and not full, or give another with --state-dir',
  }
  let found = version
  return openDurable(file, words, {
    check(db) {
      found = Number(db.prepare('PRAGMA user_version').get()?.['user_version'])
      if (found > version) throw new Error(`a later vmbackup wrote it (version ${found}, known: ${version})`)
    },
    setUp(db) {
      if (found < version) db.exec(setUp)
    },
  })
}
