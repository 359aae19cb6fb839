import { addToken, listTokens, removeToken } from '../api/tokens.ts'
import type { AskedFor } from '../cli/asked.ts'
import { table } from '../cli/table.ts'
import { clockWords } from '../cli/words.ts'
import { settingsFor } from './prepare.ts'
import { lookOf, print } from './reach.ts'
import type { Terminal } from './terminal.ts'

/** Makes, lists or removes tokens of the HTTP API; returns the exit code. */
export async function token({ act, options }: AskedFor<'token'>, terminal: Terminal): Promise<number> {
  const { state, api } = await settingsFor(options, terminal)
  switch (act.does) {
    case 'add': {
      const { name, right } = act
      const text = addToken(state.dir, { name, right }, new Date())
      print(terminal, options.json, { version: 1, name, right, token: text }, () => text)
      const where = api.listen === undefined ? '; [api] listen is not set, so nobody can use it yet' : ''
      terminal.stderr.write(`this is shown once: keep it where only ${name} can read it${where}\n`)
      return 0
    }
    case 'list': {
      const tokens = listTokens(state.dir)
      const look = lookOf(terminal)
      const rows = tokens.map(({ name, right, madeAt }) => [name, right, clockWords(madeAt, look)])
      print(terminal, options.json, { version: 1, tokens }, () =>
        rows.length === 0 ? 'there is no token' : table(['NAME', 'RIGHTS', 'MADE'], rows),
      )
      return 0
    }
    case 'remove':
      removeToken(state.dir, act.name)
      print(terminal, options.json, { version: 1, removed: act.name }, () => `token ${act.name} is removed`)
      return 0
    default:
      return act satisfies never
  }
}
