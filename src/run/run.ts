import { randomBytes } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { Failure, messageOf } from '../model/errors.ts'
import { Account } from './account.ts'
import type { Clock } from './clock.ts'
import type { Emit, RunEvent } from './event.ts'
import { Ledger } from './ledger.ts'
import { lockPair } from './lock.ts'
import { describeObligation, type Obligation, type Owed } from './obligation.ts'
import type { Report, VmResult } from './report.ts'

/** What every step of a run is given. */
export interface Run {
  /** Stands in the name of everything the run makes; letters, digits and `-`, 25 characters. */
  readonly id: string
  readonly startedAt: Date
  readonly signal: AbortSignal
  readonly clock: Clock
  readonly emit: Emit
  /** Holds the ledger and, under `mnt`, mount points. */
  readonly stateDir: string
  owe(what: Obligation): Owed
  strike(owed: Owed): void
  /** Leaves an obligation to the next start instead of trying again at the end of this run. */
  giveUp(owed: Owed, why: string): void
  /** All that is owed for the volume pair, newest first. */
  owed(): Owed[]
  /** Keeps a fact for later runs of this volume pair. */
  note(name: string, value: string): void
  /** What an earlier run (or this one) noted. */
  recall(name: string): string | undefined
  /** Tells that a step began and ended, and adds its name to what it throws. That is all it does. */
  step<T>(name: string, act: () => Promise<T>): Promise<T>
}

export interface RunRequest {
  primary: string
  secondary: { host: string; volume: string }
  stateDir: string
  signal: AbortSignal
  clock: Clock
  emit: Emit
  /** What was to be told before the run began; stands in its report. */
  warnings?: readonly string[]
  /** How long settling may take after the story has ended, however it ended. */
  settleMs: number
}

/** Tells that an obligation stays open, and why. */
export type Leave = (owed: Owed, error: unknown) => void

/** What a kind of run consists of. */
export interface Play {
  story(run: Run): Promise<void>
  /** What became of each VM, also when the story threw. */
  results(error: unknown): VmResult[]
  /** Looks first, then acts, then strikes; tries all of them; what it cannot settle it tells by `leave`. */
  settle(run: Run, owed: readonly Owed[], leave: Leave): Promise<void>
  /** Is given every event of the run; must not throw. */
  show?(event: RunEvent): void
  /** True for what `close` settles, so that it lasts until the outcome is known. */
  closes(owed: Owed): boolean
  /** Tells the world how the run ended; what it cannot tell it leaves. */
  close(run: Run, report: Report, owed: readonly Owed[], leave: Leave): Promise<void>
}

/**
 * Performs one run: lock, settle what earlier runs left, story, settle what this one owes, closing event, report. Never
 * throws for what happened in the run: that is in the report.
 */
export async function perform(request: RunRequest, play: Play): Promise<Report> {
  const startedAt = new Date(request.clock.now())
  const id = runId(startedAt)
  const emit: Emit = (event) => {
    play.show?.(event)
    request.emit(event)
  }
  const account = new Account({ ...request, emit }, id, startedAt)
  for (const text of request.warnings ?? []) account.emit({ kind: 'note', severity: 'warning', text })
  const pair = `${request.primary}--${request.secondary.host}--${request.secondary.volume}`
  try {
    using _lock = lockPair(request.stateDir, pair)
    using ledger = new Ledger(join(request.stateDir, 'vmbackup.db'), pair)
    mkdirSync(join(request.stateDir, 'mnt'), { recursive: true, mode: 0o700 })
    const report = keepReport(ledger, await performLocked(request, play, ledger, account))
    account.emit({ kind: 'run ended', report })
    return report
  } catch (error) {
    const report = account.report(play.results(error), error)
    account.emit({ kind: 'run ended', report })
    return report
  }
}

/**
 * Gives `look` a run for looking only, and settles what it owes at its end (a mount that would not go, say): nothing is left
 * to a next run. Throws Failure when that cannot be done.
 */
export async function rehearse<T>(
  request: RunRequest,
  play: Pick<Play, 'settle'>,
  look: (run: Run) => Promise<T>,
): Promise<T> {
  const startedAt = new Date(request.clock.now())
  const about = { id: runId(startedAt), startedAt, emit: request.emit }
  using ledger = new Ledger(':memory:', 'rehearsal')
  mkdirSync(join(request.stateDir, 'mnt'), { recursive: true, mode: 0o700 })
  const [looked] = await Promise.allSettled([look(runOn(request, ledger, about, request.signal))])
  const left: string[] = []
  const owed = ledger.open()
  if (owed.length > 0) {
    const settling = runOn(request, ledger, about, AbortSignal.timeout(request.settleMs))
    await play.settle(settling, owed, ({ what }, error) => {
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

/** History is for looking at later: no VM is less protected because it could not be written. */
function keepReport(ledger: Ledger, report: Report): Report {
  try {
    ledger.remember(report)
    return report
  } catch (error) {
    const why = messageOf(error)
    return { ...report, warnings: [...report.warnings, `this report could not be kept: ${why}`] }
  }
}

function runOn(
  request: RunRequest,
  ledger: Ledger,
  { id, startedAt, emit }: Pick<Run, 'id' | 'startedAt' | 'emit'>,
  signal: AbortSignal,
  giveUp: Run['giveUp'] = () => undefined,
): Run {
  return {
    id,
    startedAt,
    signal,
    clock: request.clock,
    emit,
    stateDir: request.stateDir,
    owe: (what) => ledger.owe(id, what),
    strike: (owed) => {
      ledger.strike(owed)
      emit({ kind: 'settled', what: describeObligation(owed.what) })
    },
    giveUp,
    owed: () => ledger.open(),
    note: (name, value) => ledger.note(name, value),
    recall: (name) => ledger.recall(name),
    step: (name, act) => step(emit, request.clock, name, act),
  }
}

async function performLocked(
  request: RunRequest,
  play: Play,
  ledger: Ledger,
  account: Account,
): Promise<Report> {
  const givenUp = new Map<number, string>()
  const told = new Set<number>()
  const run = (signal: AbortSignal): Run =>
    runOn(request, ledger, account, signal, (owed, why) => void givenUp.set(owed.id, why))
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
  const settle = async (name: string, owed: Owed[]): Promise<void> => {
    for (const one of owed) {
      const why = givenUp.get(one.id)
      if (why !== undefined) leave(one, why)
    }
    const due = owed.filter((one) => !told.has(one.id))
    if (due.length === 0) return
    const act = () => play.settle(settling(), due, leave)
    await step(account.emit, request.clock, name, act).catch((error: unknown) => leaveOpen(due, error))
  }

  account.emit({ kind: 'run began', run: account.id })
  await settle('settle earlier runs', ledger.open())
  account.forgiveLeft()
  // One closing event per run, and it is owed before anything can go wrong.
  ledger.owe(account.id, {
    kind: 'event',
    number: randomBytes(4).readUInt32BE() >>> 1,
    startedAt: account.startedAt.toISOString(),
  })
  let error: unknown
  try {
    request.signal.throwIfAborted()
    await play.story(run(request.signal))
  } catch (thrown) {
    error = thrown
  }
  const mine = (): Owed[] => ledger.open().filter((one) => one.run === account.id)
  const mineToSettle = (): Owed[] => mine().filter((one) => !play.closes(one))
  await settle('settle', mineToSettle())
  // Settling owes, too: a mount of its own that would not go has one more chance.
  await settle('settle again', mineToSettle())
  leaveOpen(mineToSettle(), 'it could not be settled')
  const report = account.report(play.results(error), error)
  const closing = mine().filter((one) => play.closes(one))
  await play.close(settling(), report, closing, leave).catch((cause: unknown) => leaveOpen(closing, cause))
  leaveOpen(mine(), 'it could not be settled')
  return account.report(report.vms, error)
}

async function step<T>(emit: Emit, clock: Clock, name: string, act: () => Promise<T>): Promise<T> {
  const began = clock.now()
  emit({ kind: 'step began', step: name })
  try {
    const result = await act()
    emit({ kind: 'step ended', step: name, ms: clock.now() - began })
    return result
  } catch (error) {
    emit({
      kind: 'step ended',
      step: name,
      ms: clock.now() - began,
      error: messageOf(error),
    })
    throw error
  }
}

/** `20261121T001500Z-1f2e3d4c`: sorts by time, and two runs in one second differ. */
function runId(at: Date): string {
  const time = at.toISOString().replace(/[-:]|\.\d+/g, '')
  return `${time}-${randomBytes(4).toString('hex')}`
}
