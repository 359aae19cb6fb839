import { Cancelled, chainOf, Failure, hintOf, Locked } from '../model/errors.ts'
import { nameOfPair, type Pair } from '../model/pair.ts'
import { keeping, ledgerIn, pairFact, readLedger } from './keeping.ts'
import { describeObligation, type Owed } from './obligation.ts'
import { type ReportedError, reportedError } from './report.ts'
import { type Play, type RunRequest, runId, runOn, step } from './run.ts'
import { graceMs, within } from './within.ts'

/** What became of one thing that was owed. */
export interface Found {
  /** In the ledger. */
  id: number
  /** The run that owed it. */
  run: string
  what: string
  state: 'owed' | 'settled' | 'waived' | 'left open'
  why?: string
  /** What to do about it. */
  hint?: string
}

type Fate = Pick<Found, 'state' | 'why' | 'hint'>

/** What was found owed for one volume pair, newest first, and what became of it. */
export interface PairRecovery extends Pair {
  found: Found[]
  /** Why nothing could be tried: the lock is held, the state directory cannot be used. */
  error?: ReportedError
  outcome: 'settled' | 'owed' | 'left open' | 'locked' | 'cancelled' | 'failed'
}

const exitCodes = { settled: 0, owed: 1, 'left open': 1, failed: 1, locked: 5, cancelled: 130 } as const

/** The process's exit code: that of the pair which fared worst. */
export function exitCodeOfRecovery(pairs: readonly PairRecovery[]): number {
  return Math.max(0, ...pairs.map(({ outcome }) => exitCodes[outcome]))
}

/**
 * Settles all that is owed for the pair, by the code that every run begins with. Entries to be waived are struck without looking: for
 * what can never be settled. Never throws for what it cannot settle.
 */
export async function recover(
  request: RunRequest,
  play: Pick<Play, 'settle'>,
  waive: readonly number[] = [],
): Promise<PairRecovery> {
  const { clock, emit } = request
  const startedAt = new Date(clock.now())
  const about = { id: runId(startedAt), startedAt, emit }
  const left = new Map<number, Pick<Found, 'why' | 'hint'>>()
  const leave = ({ id, what }: Owed, error: unknown): void => {
    if (left.has(id)) return
    const why = chainOf(error).join(': ')
    const hint = hintOf(error)
    left.set(id, hint === undefined ? { why } : { why, hint })
    emit({ kind: 'left open', what: describeObligation(what), why })
  }
  try {
    return await keeping(request, async ({ ledger, lease }) => {
      const limits = [request.signal, AbortSignal.timeout(request.settleMs), lease.signal]
      const ground = { ledger, assertHeld: () => lease.assertHeld() }
      const run = runOn(request, ground, about, AbortSignal.any(limits))
      const found = ledger.open()
      const waived = found.filter(({ id }) => waive.includes(id))
      for (const one of waived) ledger.strike(one)
      const settle = async (owed: readonly Owed[]): Promise<void> => {
        if (owed.length === 0) return
        const act = () => within(play.settle(run, owed, leave), run.signal, graceMs)
        await step(emit, clock, 'settle', act).catch((error: unknown) => {
          for (const one of owed) leave(one, error)
        })
      }
      await settle(found.filter((one) => !waived.includes(one)))
      // Settling owes, too: a mount of its own that would not go has one more chance.
      const known = new Set(found.map(({ id }) => id))
      const later = ledger.open().filter(({ id }) => !known.has(id))
      await settle(later)
      const open = new Set(ledger.open().map(({ id }) => id))
      const recovery = recoveryOf(request, [...later, ...found], (one) => {
        if (open.has(one.id))
          return { state: 'left open', ...(left.get(one.id) ?? { why: 'it could not be settled' }) }
        return { state: waived.includes(one) ? 'waived' : 'settled' }
      })
      return request.signal.aborted ? { ...recovery, outcome: 'cancelled' } : recovery
    })
  } catch (error) {
    return notTried(request, error)
  }
}

/** What `recover` would have to settle. Changes nothing. Throws Failure when the ledger cannot be read. */
export function owedFor(request: Pick<RunRequest, 'stateDir'> & Pair): PairRecovery {
  const owed = readLedger(request.stateDir, nameOfPair(request), (ledger) => ledger.open())
  return recoveryOf(request, owed ?? [])
}

/** A pair of which something is owed, as its runs have written it down; `error` where that cannot be read. */
export type Owing<T> = { name: string } & ({ pair: T } | { error: unknown })

/** The pairs for which a state directory's ledger holds anything. Throws Failure when it cannot be read at all. */
export function pairsOwing<T>(stateDir: string, pairIn: (text: string) => T): Owing<T>[] {
  // No pair has the empty name, so every pair is another.
  const said = readLedger(stateDir, '', (ledger) => {
    const names = new Set(ledger.openElsewhere().map(({ pair }) => pair))
    return [...names].toSorted().map((name) => ({ name, text: ledger.recall(pairFact, name) }))
  })
  return (said ?? []).map(({ name, text }) => {
    if (text === undefined) return { name, error: notNamed(ledgerIn(stateDir), name) }
    try {
      return { name, pair: pairIn(text) }
    } catch (error) {
      return { name, error }
    }
  })
}

function notNamed(file: string, name: string): Failure {
  return new Failure(`${file} does not say which volumes ${name} are`, {
    hint: 'name them: vmbackup recover <primary-volume> <secondary-host> <secondary-volume>',
  })
}

/** Of a pair for which nothing could be tried. */
export function notTried(pair: Pair, error: unknown): PairRecovery {
  return {
    ...recoveryOf(pair, []),
    outcome: outcomeOf(error),
    error: reportedError(error),
  }
}

/** One entry of the ledger, for people. */
export function foundAs({ id, run, what }: Owed, fate: Fate = { state: 'owed' }): Found {
  return { id, run, what: describeObligation(what), ...fate }
}

function recoveryOf(
  { primary, secondary }: Pair,
  owed: readonly Owed[],
  fateOf: (owed: Owed) => Fate = () => ({ state: 'owed' }),
): PairRecovery {
  const found = owed.map((one) => foundAs(one, fateOf(one)))
  const worst = (['left open', 'owed'] as const).find((state) => found.some((one) => one.state === state))
  return { primary, secondary, found, outcome: worst ?? 'settled' }
}

function outcomeOf(error: unknown): PairRecovery['outcome'] {
  if (error instanceof Locked) return 'locked'
  return error instanceof Cancelled ? 'cancelled' : 'failed'
}
