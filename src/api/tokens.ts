import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Failure, Refused, Unknown, UsageError } from '../model/errors.ts'
import { shown } from '../model/shown.ts'
import { makeForOwner } from '../run/owner-file.ts'

/** `read`: all questions; `operate`: acts, too. */
export type Right = 'read' | 'operate'

export interface Token {
  name: string
  right: Right
  /** ISO 8601. */
  madeAt: string
}

type Row = Token & { hash: Uint8Array }

const table =
  'CREATE TABLE IF NOT EXISTS tokens (name TEXT PRIMARY KEY, "right" TEXT NOT NULL, madeAt TEXT NOT NULL, hash BLOB NOT NULL) STRICT'

/**
 * Makes a token and gives its text, which is kept nowhere. Throws UsageError for a name that is none, Refused for one that there is, and
 * Failure when the state directory cannot be used.
 */
export function addToken(
  stateDir: string,
  { name, right }: { name: string; right: Right },
  now: Date,
): string {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(name)) {
    throw new UsageError(`${shown(name)} is no name for a token`, {
      hint: 'letters, digits, dot, dash and underscore; at most 64',
    })
  }
  const text = `vmb_${randomBytes(32).toString('base64url')}`
  const added = using(stateDir, (db) => {
    const insert = db.prepare('INSERT INTO tokens VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING')
    return insert.run(name, right, now.toISOString(), hashOf(text)).changes
  })
  if (added === 0) {
    throw new Refused(`there is a token ${name} already`, { hint: 'remove it first, or take another name' })
  }
  return text
}

/** By name; none where none was ever made. */
export function listTokens(stateDir: string): Token[] {
  return rowsIn(stateDir).map(({ name, right, madeAt }) => ({ name, right, madeAt }))
}

/** From now on nobody gets in by it, also where the agent is running. Throws Unknown when there is none of that name. */
export function removeToken(stateDir: string, name: string): void {
  const removed = existsSync(fileIn(stateDir))
    ? using(stateDir, (db) => db.prepare('DELETE FROM tokens WHERE name = ?').run(name).changes)
    : 0
  if (removed === 0) throw new Unknown(`there is no token ${shown(name)}`)
}

/** Whose text this is. Asks the file each time, so that a token that was removed is good for nothing at once. */
export function whoseToken(stateDir: string, text: string): Token | undefined {
  const hash = hashOf(text)
  let found: Token | undefined
  // All are compared, and in constant time: how long it takes tells nothing of which one nearly fitted.
  for (const row of rowsIn(stateDir)) if (timingSafeEqual(row.hash, hash)) found = row
  return found
}

/** A hash without salt and slowness: the text is 256 random bits, so there is nothing to guess and no table of guesses. */
function hashOf(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}

function rowsIn(stateDir: string): Row[] {
  if (!existsSync(fileIn(stateDir))) return []
  return using(
    stateDir,
    (db) =>
      db.prepare('SELECT name, "right", madeAt, hash FROM tokens ORDER BY name').all() as unknown as Row[],
  )
}

function using<T>(stateDir: string, use: (db: DatabaseSync) => T): T {
  const file = fileIn(stateDir)
  try {
    makeForOwner(file)
    const db = new DatabaseSync(file, { timeout: 2000 })
    try {
      db.exec(table)
      return use(db)
    } finally {
      db.close()
    }
  } catch (cause) {
    throw new Failure(`cannot use the tokens in ${file}`, {
      cause,
      hint: 'check that [state] dir is writable and not full; a broken file can be deleted, and all tokens with it',
    })
  }
}

function fileIn(stateDir: string): string {
  return join(stateDir, 'tokens.db')
}
