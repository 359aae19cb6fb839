import { randomBytes } from 'node:crypto'
import { messageOf } from '../model/errors.ts'
import type { Pair } from '../model/pair.ts'
import type { Clock } from './clock.ts'
import type { Emit, RunEvent } from './event.ts'
import type { Ledger } from './ledger.ts'
import { type Machine, thisMachine } from './machine.ts'
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
  /** Where this process runs. */
  readonly machine: Machine
  /** Throws when the run must not act any more. */
  owe(what: Obligation): Owed
  strike(owed: Owed): void
  /** Leaves an obligation to the next start instead of trying again at the end of this run. */
  giveUp(owed: Owed, why: string): void
  /** All that is owed for the volume pair, newest first. */
  owed(): Owed[]
  /** What is owed for other pairs, under the pair's name. */
  owedElsewhere(): (Owed & { pair: string })[]
  /** Keeps a fact for later runs of this volume pair. */
  note(name: string, value: string): void
  /** What an earlier run (or this one) noted. */
  recall(name: string): string | undefined
  /** Tells that a step began and ended, and adds its name to what it throws. That is all it does. */
  step<T>(name: string, act: () => Promise<T>): Promise<T>
}

export interface RunRequest extends Pair {
  /** Default: a new one. */
  id?: string
  /** Of the runs that begin together with this one. */
  with?: readonly string[]
  /** Of the configuration, if it is one's run. */
  job?: string
  stateDir: string
  signal: AbortSignal
  clock: Clock
  emit: Emit
  /** What was to be told before the run began; stands in its report. */
  warnings?: readonly string[]
  /** How long settling may take after the story has ended, however it ended. */
  settleMs: number
  /** How long another machine has to wait that shares the state directory, after this one was last seen alive; default 60 s. */
  leaseMs?: number
  /** Reports of the pair that are older are forgotten, but for what tells of its present copy; default: none. */
  historyMs?: number
  /** Default: the machine of this process. */
  machine?: Machine
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

/** What a run stands on. */
export interface Ground {
  ledger: Ledger
  /** Throws when the run must not act any more. */
  assertHeld(): void
}

/** A run on a ledger, under a signal. */
export function runOn(
  request: RunRequest,
  { ledger, assertHeld }: Ground,
  { id, startedAt, emit }: Pick<Run, 'id' | 'startedAt' | 'emit'>,
  signal: AbortSignal,
  giveUp: Run['giveUp'] = () => undefined,
): Run {
  const { clock, stateDir, machine = thisMachine() } = request
  return {
    id,
    startedAt,
    signal,
    clock,
    emit,
    stateDir,
    machine,
    owe(what) {
      assertHeld()
      const owed = ledger.owe(id, what)
      // The write itself may have taken longer than the lease.
      assertHeld()
      return owed
    },
    strike(owed) {
      assertHeld()
      ledger.strike(owed)
      emit({ kind: 'settled', what: describeObligation(owed.what) })
    },
    giveUp,
    owed: () => ledger.open(),
    owedElsewhere: () => ledger.openElsewhere(),
    note: (name, value) => ledger.note(name, value),
    recall: (name) => ledger.recall(name),
    step: (name, act) => step(emit, clock, name, act),
  }
}

/** Tells that a step began and ended, also when it throws. */
export async function step<T>(emit: Emit, clock: Clock, name: string, act: () => Promise<T>): Promise<T> {
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
export function runId(at: Date): string {
  const time = at.toISOString().replace(/[-:]|\.\d+/g, '')
  return `${time}-${randomBytes(4).toString('hex')}`
}
