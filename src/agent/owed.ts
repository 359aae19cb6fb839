import { nameOfPair, type Pair } from '../model/pair.ts'
import type { History } from './history.ts'

/** How much is owed for other pairs than these. Throws Failure when the history cannot be read. */
export function owedBeside(history: Pick<History, 'owed'>, pairs: readonly Pair[]): number {
  const each = new Map(pairs.map((pair) => [nameOfPair(pair), pair]))
  const theirs = [...each.values()].reduce((sum, pair) => sum + history.owed(pair), 0)
  // A run may have struck something in between.
  return Math.max(0, history.owed() - theirs)
}
