import type { Found, PairRecovery } from '../run/recover.ts'
import type { Paint } from './paint.ts'
import { table } from './table.ts'

/** What was owed, for each pair of volumes, and what became of it. */
export function renderRecovery(pairs: readonly PairRecovery[], paint: Paint): string {
  const parts = pairs
    .filter((pair) => pair.found.length > 0 || pair.error !== undefined)
    .map((pair) => renderPair(pair, paint))
  parts.push(closing(pairs, paint))
  return parts.join('\n\n')
}

function closing(pairs: readonly PairRecovery[], paint: Paint): string {
  const open = pairs
    .flatMap(({ found }) => found)
    .filter(({ state }) => state === 'owed' || state === 'left open').length
  if (open > 0) return paint.bad(`${open} ${open === 1 ? 'thing is' : 'things are'} owed`)
  if (pairs.some(({ error }) => error !== undefined)) return paint.bad('what is owed is not known')
  return paint.good('nothing is owed')
}

function renderPair({ primary, secondary, found, error }: PairRecovery, paint: Paint): string {
  const lines = [`volume ${primary} to ${secondary.host}:${secondary.volume}`]
  if (error !== undefined) {
    lines.push(paint.bad(`not tried: ${[error.message, ...error.causes].join(': ')}`))
    if (error.hint !== undefined) lines.push(`  what to do: ${error.hint}`)
  }
  if (found.length > 0) {
    const head = ['NUMBER', 'WHAT IS OWED', 'BY RUN', 'STATE', 'REASON']
    lines.push(
      table(
        head,
        found.map((one) => rowOf(one, paint)),
      ),
    )
  }
  const hints = new Set(found.flatMap(({ hint }) => hint ?? []))
  lines.push(...[...hints].map((hint) => `  what to do: ${hint}`))
  return lines.join('\n')
}

function rowOf({ id, what, run, state, why }: Found, paint: Paint): string[] {
  const colour = state === 'settled' ? paint.good : state === 'left open' ? paint.bad : paint.doubtful
  return [String(id), what, run, colour(state), why ?? '']
}
