import { join } from 'node:path'
import { Ledger } from '../../src/run/ledger.ts'
import type { Obligation, Owed } from '../../src/run/obligation.ts'
import type { Play, Run, RunRequest } from '../../src/run/run.ts'
import { fakeClock } from '../support/stage.ts'
import { aFolder } from './a-folder.ts'

/** What the request's lock and ledger are called by. */
const pair = 'data--gs1--data-dr'

/** A run of one pair in a folder of its own. */
export function aRequest(change: Partial<RunRequest> = {}): RunRequest {
  return {
    primary: 'data',
    secondary: { host: 'gs1', volume: 'data-dr' },
    stateDir: aFolder(),
    signal: new AbortController().signal,
    clock: fakeClock(),
    emit: () => undefined,
    settleMs: 60_000,
    ...change,
  }
}

/** A play that does nothing and settles all that it is given. */
export function aPlay(change: Partial<Play> = {}): Play {
  const strikeAll = (run: Run, owed: readonly Owed[]) => {
    for (const one of owed) run.strike(one)
  }
  return {
    story: async () => undefined,
    results: () => [],
    settle: async (run, owed) => strikeAll(run, owed),
    closes: ({ what }) => what.kind === 'event',
    close: async (run, _report, owed) => strikeAll(run, owed),
    ...change,
  }
}

/** What the ledger holds when nobody has it open. */
export function openIn({ stateDir }: RunRequest): Obligation[] {
  using ledger = new Ledger(join(stateDir, 'vmbackup.db'), pair)
  return ledger.open().map(({ what }) => what)
}

/** Leaves these as of an earlier run. */
export function owedBefore({ stateDir }: RunRequest, ...owed: Obligation[]): void {
  using ledger = new Ledger(join(stateDir, 'vmbackup.db'), pair)
  for (const what of owed) ledger.owe('earlier', what)
}
