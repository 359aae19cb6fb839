import type { DatabaseSync } from 'node:sqlite'
import type { z } from 'zod'
import { changeTogether, openDurable } from '../run/durable.ts'

/**
 * What the agent must not forget over a restart: small JSON values by name. A write returns when it survives a power cut. What a later
 * or an earlier version wrote otherwise counts as absent.
 */
export interface Book extends Disposable {
  get<T>(name: string, shape: z.ZodType<T>): T | undefined
  /** All whose names begin so, by the rest of the name. */
  all<T>(prefix: string, shape: z.ZodType<T>): Map<string, T>
  /** All or none; undefined removes. Throws Failure when it cannot be written. */
  set(changes: ReadonlyMap<string, unknown>): void
}

/** Opens or makes the file (`:memory:` for one that is forgotten). Throws Failure when it cannot. */
export function openBook(file: string): Book {
  const db = open(file)
  return {
    get(name, shape) {
      const row = db.prepare('SELECT value FROM book WHERE name = ?').get(name)
      return row === undefined ? undefined : valueIn(String(row['value']), shape)
    },
    all(prefix, shape) {
      const rows = db.prepare('SELECT name, value FROM book WHERE substr(name, 1, ?) = ? ORDER BY name')
      const found = rows.all(prefix.length, prefix).flatMap((row) => {
        const value = valueIn(String(row['value']), shape)
        return value === undefined ? [] : [[String(row['name']).slice(prefix.length), value] as const]
      })
      return new Map(found)
    },
    set(changes) {
      if (changes.size === 0) return
      const put = db.prepare('INSERT OR REPLACE INTO book (name, value) VALUES (?, ?)')
      const drop = db.prepare('DELETE FROM book WHERE name = ?')
      const words = {
        message: `cannot write into the agent's book ${file}`,
        hint: 'check that [state] dir is writable and not full',
      }
      changeTogether(db, words, () => {
        for (const [name, value] of changes) {
          if (value === undefined) drop.run(name)
          else put.run(name, JSON.stringify(value))
        }
      })
    },
    [Symbol.dispose]: () => db.close(),
  }
}

function valueIn<T>(text: string, shape: z.ZodType<T>): T | undefined {
  try {
    return shape.safeParse(JSON.parse(text)).data
  } catch {
    return undefined
  }
}

function open(file: string): DatabaseSync {
  const words = {
    message: `cannot open the agent's book ${file}`,
    hint: 'check that [state] dir is writable and not full, or give another with --state-dir',
  }
  return openDurable(file, words, {
    setUp: (db) =>
      db.exec('CREATE TABLE IF NOT EXISTS book (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT'),
  })
}
