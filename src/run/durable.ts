import { DatabaseSync } from 'node:sqlite'
import { Failure } from '../model/errors.ts'
import { makeForOwner } from './owner-file.ts'

/** What people are told when a file cannot be used. */
interface Words {
  message: string
  hint: string
}

/** What a file is to its owner. */
interface Making {
  /** Looks at what is there before anything is touched; throws what speaks against it. */
  check?(db: DatabaseSync): void
  /** Makes the tables. */
  setUp(db: DatabaseSync): void
}

/**
 * Opens or makes a file that only its owner may read (`:memory:` for one that is forgotten): a write returns when it survives a power cut.
 * Throws Failure in these words when it cannot.
 */
export function openDurable(file: string, words: Words, { check, setUp }: Making): DatabaseSync {
  let db: DatabaseSync | undefined
  try {
    if (file !== ':memory:') makeForOwner(file)
    db = new DatabaseSync(file, { timeout: 5_000 })
    check?.(db)
    // A rollback journal with full sync: a torn last write is rolled back at the next open. The journal is kept between writes,
    // so that a file which has free pages can be written while the disk is full.
    db.exec('PRAGMA journal_mode = PERSIST; PRAGMA synchronous = FULL')
    setUp(db)
    return db
  } catch (cause) {
    db?.close()
    throw failed(words, cause)
  }
}

/** Makes changes that are on disk together or not at all. Throws Failure in these words when it cannot. */
export function changeTogether(db: DatabaseSync, words: Words, change: () => void): void {
  try {
    db.exec('BEGIN IMMEDIATE')
    change()
    db.exec('COMMIT')
  } catch (cause) {
    if (db.isTransaction) db.exec('ROLLBACK')
    throw failed(words, cause)
  }
}

function failed({ message, hint }: Words, cause: unknown): Failure {
  return new Failure(message, { cause, hint })
}
