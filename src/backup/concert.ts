import { chainOf } from '../model/errors.ts'
import type { Run } from '../run/run.ts'
import { within } from '../run/within.ts'
import { type BackupPlan, type Sibling, sharedOf, siblingsOf } from './plan.ts'
import { type Brought, unite } from './shared-vms.ts'
import type { Verdicts } from './verdicts.ts'

/** Where the runs of a job wait for each other, in this order; src/README.md has the reason for each. */
const points = {
  settled: 'to settle what earlier runs owe',
  planned: 'to make its plan',
  owed: 'to write down what it will owe',
  standing: 'to take its snapshots',
  compared: 'to compare its copy',
  merged: 'to merge its snapshots',
  proved: 'to prove its copy',
  written: 'to write its manifest',
}

type Point = keyof typeof points

const inOrder = Object.keys(points)

/** What one run has to do with the others of its job. Of a run without others no method waits or changes anything. */
export interface Part {
  /** Its id. */
  readonly run: string
  /** The other runs, in the job's order. */
  readonly others: readonly Sibling[]
  /** Waits until every other run has come to this point or has left; from `owed` on only for those that it shares a VM with. Throws the signal's reason. */
  meet(point: Point, run: Pick<Run, 'signal' | 'emit'>): Promise<void>
  /** Brings its plan to `planned` and returns it with the VMs that it shares marked; they have one verdict in all runs from then on. */
  unite(run: Run, plan: BackupPlan, verdicts: Verdicts): Promise<BackupPlan>
  /** False once that run has left. */
  isIn(run: string): boolean
  /** Nobody waits for this run any more. With an error, and unless its manifest was written, the VMs that it shares have failed in all runs. */
  leave(error?: unknown): void
}

interface Seat {
  sibling: Sibling
  /** Of the point that it came to last. */
  at: number
  left?: { why: string }
  brought?: Brought
  /** United with those of the others. */
  plan?: BackupPlan | undefined
}

/**
 * Runs of one job over several pairs of volumes, each with a lock, a ledger and a report of its own, that keep one order: the snapshot of a VM
 * with disks on several volumes is one instant only if it is one snapshot, no replication is under way before it and no merge before all
 * have compared. Nobody waits for a run that has left, and a run cannot end without leaving: there is nothing to hang on.
 */
export class Concert {
  readonly #seats: Seat[] = []
  #changed = Promise.withResolvers<void>()

  /** Takes a run in; all of them before the first begins, in the job's order. */
  join(sibling: Sibling): Part {
    const seat: Seat = { sibling, at: -1 }
    const seats = this.#seats
    seats.push(seat)
    return {
      run: sibling.run,
      get others() {
        return seats.flatMap((one) => (one === seat ? [] : [one.sibling]))
      },
      meet: (point, run) => this.#meet(seat, point, run),
      unite: (run, plan, verdicts) => this.#unite(seat, run, { sibling, plan, verdicts }),
      isIn: (run) => this.#whyGone(run) === undefined,
      leave: (error) => this.#leave(seat, error),
    }
  }

  async #meet(seat: Seat, point: Point, { signal, emit }: Pick<Run, 'signal' | 'emit'>): Promise<void> {
    signal.throwIfAborted()
    if (seat.left !== undefined) return
    seat.at = inOrder.indexOf(point)
    this.#wake()
    for (;;) {
      const missing = this.#awaited(seat, seat.at)
      if (missing.length === 0) return
      const volumes = missing.map(({ sibling }) => sibling.primary).join(', ')
      emit({ kind: 'waiting', what: `the run of volume ${volumes}, ${points[point]}` })
      await within(this.#changed.promise, signal)
      signal.throwIfAborted()
    }
  }

  async #unite(seat: Seat, run: Run, brought: Brought): Promise<BackupPlan> {
    seat.brought = brought
    await this.#meet(seat, 'planned', run)
    this.#uniteAll()
    return seat.plan ?? brought.plan
  }

  #whyGone(run: string): string | undefined {
    return this.#seats.find(({ sibling }) => sibling.run === run)?.left?.why
  }

  #leave(seat: Seat, error: unknown): void {
    if (seat.left !== undefined) return
    const why = error === undefined ? 'it has ended' : (chainOf(error)[0] ?? '')
    seat.left = { why }
    if (error !== undefined && seat.at < inOrder.indexOf('written')) failShared(seat, why)
    this.#wake()
  }

  /** By the first that passes `planned`, for all that are there. */
  #uniteAll(): void {
    if (this.#seats.some(({ plan }) => plan !== undefined)) return
    const present = this.#seats.filter(({ left }) => left === undefined)
    const brought = present.flatMap((seat) => seat.brought ?? [])
    const plans = unite(brought, (run) => this.#whyGone(run))
    for (const seat of present) seat.plan = plans.get(seat.sibling.run)
  }

  #awaited(seat: Seat, at: number): Seat[] {
    const partners = seat.plan && new Set(sharedOf(seat.plan).flatMap(siblingsOf))
    const isPartner = ({ run }: Sibling): boolean => partners === undefined || partners.has(run)
    return this.#seats.filter(
      (one) => one !== seat && one.left === undefined && one.at < at && isPartner(one.sibling),
    )
  }

  #wake(): void {
    this.#changed.resolve()
    this.#changed = Promise.withResolvers()
  }
}

function failShared({ plan, brought }: Seat, why: string): void {
  if (plan === undefined) return
  for (const { id } of sharedOf(plan)) brought?.verdicts.fail(id, `the run ended early: ${why}`)
}
