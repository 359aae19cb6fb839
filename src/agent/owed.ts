import type { JobConfig } from '../config/keys.ts'
import { Failure } from '../model/errors.ts'
import { nameOfPair, type Pair } from '../model/pair.ts'
import type { History } from './history.ts'
import type { Troubles } from './troubles.ts'

/** A run from the command line may go on for so long. */
const patienceMs = 2 * 3_600_000

/** How much is owed for other pairs than these. Throws Failure when the history cannot be read. */
export function owedBeside(history: Pick<History, 'owed'>, pairs: readonly Pair[]): number {
  const each = new Map(pairs.map((pair) => [nameOfPair(pair), pair]))
  const theirs = [...each.values()].reduce((sum, pair) => sum + history.owed(pair), 0)
  // A run may have struck something in between.
  return Math.max(0, history.owed() - theirs)
}

/** What is owed for pairs that no job has (any more) is a trouble when it lasts: nobody here settles it. */
export function noteOwedElsewhere(history: History, jobs: readonly JobConfig[], troubles: Troubles): void {
  const pairs = jobs.flatMap((job) => job.pairs)
  const count = troubles.readOr('history', 0, () => owedBeside(history, pairs))
  const hint = 'settle it: vmbackup recover; vmbackup recover --dry-run lists it'
  const failure = new Failure(`${count} things are owed for volumes of no job`, { hint })
  if (count === 0) troubles.cleared('owed by no job')
  else troubles.met('owed by no job', failure, patienceMs)
}
