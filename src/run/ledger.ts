// Five rules keep a run's surroundings clean, and this file is where they are kept:
// 1. Owe before you act: the entry is on disk before the request goes out.
// 2. Everything we make carries the run's stamp, so it is found without the id we never received.
// 3. Settling looks first: absent = done, repeating is harmless.
// 4. Settling never gets the run's signal; it has its own deadline.
// 5. All is tried, newest first; what fails stays here and in the report.

import { closeSync, mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Failure } from '../model/errors.ts'
import type { Obligation, Owed } from './obligation.ts'

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

/** What is owed for one volume pair, durable on disk: a write returns only when it survives a power cut. */
export class Ledger implements Disposable {
  readonly #db: DatabaseSync
  readonly #pair: string

  /** Opens or makes the file (`:memory:` for a ledger that is forgotten); throws Failure when it cannot. */
  constructor(file: string, pair: string) {
    try {
      if (file !== ':memory:') makeForOwner(file)
      this.#db = new DatabaseSync(file, { timeout: 5_000 })
      // A rollback journal with full sync: one file to copy, and a torn last write is rolled back at the next open.
      this.#db.exec('PRAGMA journal_mode = DELETE; PRAGMA synchronous = FULL; PRAGMA user_version = 1')
      this.#db.exec(schema)
    } catch (cause) {
      throw new Failure(`cannot open the state file ${file}`, {
        cause,
        hint: 'check that [state] dir is writable and not full, or give another with --state-dir',
      })
    }
    this.#pair = pair
  }

  /** Writes down what will be owed, before the act. */
  owe(run: string, what: Obligation): Owed {
    const { lastInsertRowid } = this.#db
      .prepare('INSERT INTO obligation (pair, run, what) VALUES (?, ?, ?)')
      .run(this.#pair, run, JSON.stringify(what))
    return { id: Number(lastInsertRowid), run, what }
  }

  /** Strikes out one entry: the world was seen to agree. */
  strike(owed: Owed): void {
    this.#db.prepare('DELETE FROM obligation WHERE id = ?').run(owed.id)
  }

  /** All that is owed for this pair, newest first. */
  open(): Owed[] {
    const rows = this.#db
      .prepare('SELECT id, run, what FROM obligation WHERE pair = ? ORDER BY id DESC')
      .all(this.#pair)
    return rows.map((row) => ({
      id: Number(row['id']),
      run: String(row['run']),
      what: JSON.parse(String(row['what'])) as Obligation,
    }))
  }

  /** Keeps a finished run's report. */
  remember(report: { run: string; startedAt: string }): void {
    this.#db
      .prepare('INSERT OR REPLACE INTO run (id, pair, startedAt, report) VALUES (?, ?, ?, ?)')
      .run(report.run, this.#pair, report.startedAt, JSON.stringify(report))
  }

  /** Keeps a fact for later runs of this pair, in place of what it was before. */
  note(name: string, value: string): void {
    this.#db
      .prepare('INSERT OR REPLACE INTO fact (pair, name, value) VALUES (?, ?, ?)')
      .run(this.#pair, name, value)
  }

  /** What an earlier run noted. */
  recall(name: string): string | undefined {
    const row = this.#db.prepare('SELECT value FROM fact WHERE pair = ? AND name = ?').get(this.#pair, name)
    return row === undefined ? undefined : String(row['value'])
  }

  [Symbol.dispose](): void {
    this.#db.close()
  }
}

/** SQLite makes its files as readable as the umask allows, and its journal as readable as the file. */
function makeForOwner(file: string): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  closeSync(openSync(file, 'a', 0o600))
}
