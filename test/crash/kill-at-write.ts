// Loaded before the agent (`node --import`): kills this process right before or right after its nth write to the ledger, as
// CRASH_AT says (`before:7`, `after:7`). The agent itself knows nothing of it.
import { flushCompileCache } from 'node:module'
import { DatabaseSync } from 'node:sqlite'

const [when, count] = (process.env['CRASH_AT'] ?? '').split(':')
const { prepare } = DatabaseSync.prototype
let writes = 0

DatabaseSync.prototype.prepare = function killing(this: DatabaseSync, sql: string) {
  const statement = prepare.call(this, sql)
  if (!/^(INSERT|DELETE)/.test(sql)) return statement
  const run = statement.run.bind(statement)
  statement.run = (...values: never[]) => {
    writes += 1
    if (when === 'before' && writes === Number(count)) die()
    const result = run(...values)
    if (when === 'after' && writes === Number(count)) die()
    return result
  }
  return statement
}

function die(): never {
  // What was compiled is kept at the end of a process; this one has none.
  flushCompileCache()
  process.kill(process.pid, 'SIGKILL')
  throw new Error('unreachable')
}
