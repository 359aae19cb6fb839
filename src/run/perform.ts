import { randomBytes } from 'node:crypto'
import { messageOf } from '../model/errors.ts'
import { Account } from './account.ts'
import type { Emit } from './event.ts'
import { type Kept, keeping, overwrittenBy } from './keeping.ts'
import type { Ledger } from './ledger.ts'
import type { Obligation, Owed } from './obligation.ts'
import type { Report } from './report.ts'
import { type Leave, type Play, type Run, type RunRequest, runId, runOn, step } from './run.ts'
import { graceMs, within } from './within.ts'

/**
 * Performs one run: lock, settle what earlier runs left, story, settle what this one owes, closing event, report. Never
 * throws for what happened in the run: that is in the report.
 */
export async function perform(request: RunRequest, play: Play): Promise<Report> {
  const startedAt = new Date(request.clock.now())
  const { id = runId(startedAt) } = request
  const emit: Emit = (event) => {
    play.show?.(event)
    request.emit(event)
  }
  const account = new Account({ ...request, emit }, id, startedAt)
  for (const text of request.warnings ?? []) account.emit({ kind: 'note', severity: 'warning', text })
  let report: Report
  try {
    report = await keeping({ ...request, emit: account.emit }, async (kept) =>
      keepReport(request, kept.ledger, await performKept(request, play, kept, account)),
    )
  } catch (error) {
    report = account.report(play.results(error), error)
  }
  account.emit({ kind: 'run ended', report })
  return report
}

/** History is for looking at later: no VM is less protected because it could not be written. */
function keepReport({ clock, historyMs }: RunRequest, ledger: Ledger, report: Report): Report {
  try {
    ledger.remember(report)
    const oldest = historyMs === undefined ? undefined : new Date(clock.now() - historyMs)
    if (oldest !== undefined) ledger.forgetBefore(oldest, ledger.recall(overwrittenBy))
    return report
  } catch (error) {
    const why = messageOf(error)
    return { ...report, warnings: [...report.warnings, `this report could not be kept: ${why}`] }
  }
}

async function performKept(
  request: RunRequest,
  play: Play,
  { ledger, lease }: Kept,
  account: Account,
): Promise<Report> {
  const givenUp = new Map<number, string>()
  const told = new Set<number>()
  const ground = { ledger, assertHeld: () => lease.assertHeld() }
  const run = (signal: AbortSignal): Run =>
    runOn(request, ground, account, AbortSignal.any([signal, lease.signal]), (owed, why) => {
      givenUp.set(owed.id, why)
    })
  // Rule 4: settling gets its own deadline, never the run's signal.
  const settling = () => run(AbortSignal.timeout(request.settleMs))
  const leave: Leave = (owed, error) => {
    if (told.has(owed.id)) return
    told.add(owed.id)
    account.leave(owed, error)
  }
  const leaveOpen = (some: readonly Owed[], error: unknown): void => {
    const open = new Set(ledger.open().map(({ id }) => id))
    for (const one of some) if (open.has(one.id)) leave(one, error)
  }
  const settle = async (name: string, by: Run, owed: Owed[]): Promise<void> => {
    for (const one of owed) {
      const why = givenUp.get(one.id)
      if (why !== undefined) leave(one, why)
    }
    const due = owed.filter((one) => !told.has(one.id))
    if (due.length === 0) return
    const act = () => within(play.settle(by, due, leave), by.signal, graceMs)
    await step(account.emit, request.clock, name, act).catch((error: unknown) => leaveOpen(due, error))
  }

  account.emit({ kind: 'run began', run: account.id })
  // Of earlier runs only: who ends this one does not wait for them, the next start does.
  const patience = AbortSignal.any([request.signal, AbortSignal.timeout(request.settleMs)])
  await settle('settle earlier runs', run(patience), ledger.open())
  account.forgiveLeft()
  let closing: Owed | undefined
  let error: unknown
  try {
    const acting = run(request.signal)
    // One closing event per run, and it is owed before anything can go wrong.
    closing = acting.owe(closingEvent(account))
    request.signal.throwIfAborted()
    await within(play.story(acting), acting.signal, graceMs)
  } catch (thrown) {
    error = lease.signal.aborted ? lease.signal.reason : thrown
  }
  const mine = (): Owed[] => ledger.open().filter((one) => one.run === account.id)
  const mineToSettle = (): Owed[] => mine().filter((one) => !play.closes(one))
  await settle('settle', settling(), mineToSettle())
  // Settling owes, too: a mount of its own that would not go has one more chance.
  await settle('settle again', settling(), mineToSettle())
  leaveOpen(mineToSettle(), 'it could not be settled')
  const report = account.report(play.results(error), error)
  const toClose = mine().filter((one) => play.closes(one))
  // Also where it could not be written down: that nothing was done is worth an alert.
  if (closing === undefined) toClose.push({ id: 0, run: account.id, what: closingEvent(account) })
  await play.close(settling(), report, toClose, leave).catch((cause: unknown) => leaveOpen(toClose, cause))
  leaveOpen(mine(), 'it could not be settled')
  return account.report(report.vms, error)
}

function closingEvent({ startedAt }: Account): Obligation {
  return {
    kind: 'event',
    number: randomBytes(4).readUInt32BE() >>> 1,
    startedAt: startedAt.toISOString(),
  }
}
