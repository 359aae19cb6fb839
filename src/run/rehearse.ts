import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { Failure, messageOf } from '../model/errors.ts'
import { nameOfPair } from '../model/pair.ts'
import { readLedger } from './keeping.ts'
import { Ledger } from './ledger.ts'
import { describeObligation } from './obligation.ts'
import { type Play, type Run, type RunRequest, runId, runOn } from './run.ts'

/**
 * Gives `look` a run for looking only, that sees what is owed in the real state directory. What it owes itself (a mount that would
 * not go, say) is settled at its end: nothing is left to a next run. Its mounts stand below `scratchDir`. Throws Failure when that cannot be
 * done.
 */
export async function rehearse<T>(
  request: RunRequest,
  scratchDir: string,
  play: Pick<Play, 'settle'>,
  look: (run: Run) => Promise<T>,
): Promise<T> {
  const startedAt = new Date(request.clock.now())
  const about = { id: runId(startedAt), startedAt, emit: request.emit }
  using ledger = new Ledger(':memory:', 'rehearsal')
  const real = readLedger(request.stateDir, nameOfPair(request), (found) => ({
    here: found.open(),
    elsewhere: found.openElsewhere(),
  }))
  mkdirSync(join(scratchDir, 'mnt'), { recursive: true, mode: 0o700 })
  const runUnder = (signal: AbortSignal): Run => ({
    ...runOn({ ...request, stateDir: scratchDir }, { ledger, assertHeld() {} }, about, signal),
    owed: () => [...ledger.open(), ...(real?.here ?? [])],
    owedElsewhere: () => real?.elsewhere ?? [],
  })
  const [looked] = await Promise.allSettled([look(runUnder(request.signal))])
  const left: string[] = []
  const owed = ledger.open()
  if (owed.length > 0) {
    await play.settle(runUnder(AbortSignal.timeout(request.settleMs)), owed, ({ what }, error) => {
      left.push(`${describeObligation(what)}: ${messageOf(error)}`)
    })
  }
  if (left.length > 0) {
    throw new Failure(`looking has left something behind: ${left.join('; ')}`, {
      hint: 'put this right by hand: no later run knows of it',
    })
  }
  if (looked.status === 'rejected') throw looked.reason
  return looked.value
}
