import type { DatabaseSync, SQLInputValue, SQLOutputValue } from 'node:sqlite'
import { changeTogether, openDurable } from '../run/durable.ts'

/** Of our tables; those of a later one are not touched. */
const version = 1

// The names begin alike, so that the file may be one that others keep tables in. For the same reason the version is a fact of our own.
const schema = `
  CREATE TABLE IF NOT EXISTS outbox_fact (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS outbox_told (
    id TEXT PRIMARY KEY,
    at INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS outbox_matter (
    matter TEXT NOT NULL,
    receiver TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (matter, receiver)
  ) STRICT;
  CREATE TABLE IF NOT EXISTS outbox_telling (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL,
    receiver TEXT NOT NULL,
    letter TEXT NOT NULL,
    takenAt INTEGER NOT NULL,
    refusals INTEGER NOT NULL DEFAULT 0,
    message TEXT
  ) STRICT;
  CREATE INDEX IF NOT EXISTS outbox_telling_receiver ON outbox_telling (receiver);
  CREATE TABLE IF NOT EXISTS outbox_failing (
    receiver TEXT PRIMARY KEY,
    failures INTEGER NOT NULL,
    since INTEGER NOT NULL,
    nextAt INTEGER NOT NULL,
    what TEXT NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS outbox_sent (
    receiver TEXT NOT NULL,
    at INTEGER NOT NULL
  ) STRICT;`

/** For some hundred alerts, in the file and in its journal. */
const reserveBytes = 512 * 1024
// Each statement on its own, so that the journal holds as much as the file: what is written over goes there. Killed in between, all of it is done again.
const setUp = `
  PRAGMA locking_mode = EXCLUSIVE;
  ${schema}
  DROP TABLE IF EXISTS outbox_reserve;
  CREATE TABLE outbox_reserve (bytes BLOB) STRICT;
  INSERT INTO outbox_reserve VALUES (zeroblob(${reserveBytes}));
  UPDATE outbox_reserve SET bytes = randomblob(${reserveBytes});
  DROP TABLE outbox_reserve;
  INSERT OR IGNORE INTO outbox_fact VALUES ('version', '${version}');
  PRAGMA locking_mode = NORMAL;
  SELECT 1 FROM outbox_fact;`

type Row = Record<string, SQLOutputValue>

/** The outbox's tables: a write returns only when it survives a power cut. */
export class OutboxFile implements Disposable {
  readonly #db: DatabaseSync
  readonly #file: string

  /** Opens or makes the file and our tables in it, `:memory:` for what is forgotten; throws Failure when it cannot. */
  constructor(file: string) {
    this.#file = file
    this.#db = open(file)
  }

  rows(sql: string, ...values: SQLInputValue[]): Row[] {
    return this.#db.prepare(sql).all(...values)
  }

  fact(name: string): string | undefined {
    const [row] = this.rows('SELECT value FROM outbox_fact WHERE name = ?', name)
    return row === undefined ? undefined : String(row['value'])
  }

  /** Makes changes that are on disk together or not at all; throws Failure when it cannot. */
  change(write: (run: (sql: string, ...values: SQLInputValue[]) => void) => void): void {
    const words = {
      message: `cannot write into the file of alerts ${this.#file}`,
      hint: 'check that [state] dir is writable and not full; until then alerts are kept in memory only',
    }
    changeTogether(this.#db, words, () =>
      write((sql, ...values) => void this.#db.prepare(sql).run(...values)),
    )
  }

  [Symbol.dispose](): void {
    this.#db.close()
  }
}

function open(file: string): DatabaseSync {
  const words = {
    message: `cannot open the file of alerts ${file}`,
    hint: 'check that [state] dir is writable and not full; a file that is damaged may be moved away: what was not sent yet is lost with it',
  }
  return openDurable(file, words, {
    setUp(db) {
      const found = versionIn(db)
      if (found === undefined) db.exec(setUp)
      else if (found > version)
        throw new Error(`a later vmbackup wrote it (version ${found}, known: ${version})`)
    },
  })
}

function versionIn(db: DatabaseSync): number | undefined {
  const table = db.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'outbox_fact'").get()
  if (table === undefined) return undefined
  const row = db.prepare("SELECT value FROM outbox_fact WHERE name = 'version'").get()
  return row === undefined ? undefined : Number(row['value'])
}
