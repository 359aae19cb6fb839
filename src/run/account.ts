import { messageOf } from '../model/errors.ts'
import type { Clock } from './clock.ts'
import type { Emit, RunEvent } from './event.ts'
import { describeObligation, type Owed } from './obligation.ts'
import { outcomeOf, type Report, reportedError, type VmResult } from './report.ts'

interface Accounted {
  primary: string
  secondary: { host: string; volume: string }
  job?: string
  with?: readonly string[]
  clock: Clock
  emit: Emit
}

/** Folds the events of a run into its report, and hands them on. */
export class Account {
  readonly id: string
  readonly startedAt: Date
  readonly emit: Emit
  readonly #request: Accounted
  readonly #steps: Report['steps'] = []
  readonly #warnings: string[] = []
  #leftOpen: Report['leftOpen'] = []
  #comparison: Report['comparison']
  #manifest: string | undefined
  #overwrote = false

  constructor(request: Accounted, id: string, startedAt: Date) {
    this.#request = request
    this.id = id
    this.startedAt = startedAt
    this.emit = (event) => {
      this.#fold(event)
      try {
        request.emit(event)
      } catch (error) {
        this.#unheard(error)
      }
    }
  }

  /** A full disk under the log must not end a run that has snapshots to merge. */
  #unheard(error: unknown): void {
    const text = `the log or the progress is not complete: ${messageOf(error)}`
    if (!this.#warnings.includes(text)) this.#warnings.push(text)
  }

  #fold(event: RunEvent): void {
    if (event.kind === 'step ended') {
      const { step: name, ms, error } = event
      this.#steps.push({ name, ms, ...(error === undefined ? {} : { error }) })
    } else if (event.kind === 'note' && event.severity === 'warning') {
      this.#warnings.push(event.text)
    } else if (event.kind === 'left open') {
      this.#leftOpen.push({ what: event.what, why: event.why })
    } else if (event.kind === 'compared') {
      this.#comparison = event.comparison
    } else if (event.kind === 'points withdrawn') {
      this.#overwrote = true
    } else if (event.kind === 'point made') {
      this.#manifest = event.manifest
    }
  }

  leave(owed: Owed, error: unknown): void {
    const why = messageOf(error)
    this.emit({ kind: 'left open', what: describeObligation(owed.what), why })
  }

  /** What earlier runs left is a warning of this one. */
  forgiveLeft(): void {
    for (const { what, why } of this.#leftOpen) {
      this.emit({ kind: 'note', severity: 'warning', text: `left by an earlier run: ${what}: ${why}` })
    }
    this.#leftOpen = []
  }

  report(vms: VmResult[], error: unknown): Report {
    const { primary, secondary, job, with: others = [] } = this.#request
    return {
      version: 1,
      run: this.id,
      ...(job === undefined ? {} : { job }),
      ...(others.length === 0 ? {} : { with: [...others] }),
      outcome: outcomeOf(vms, error),
      startedAt: this.startedAt.toISOString(),
      finishedAt: new Date(this.#request.clock.now()).toISOString(),
      primary,
      secondary: { host: secondary.host, volume: secondary.volume },
      steps: [...this.#steps],
      vms,
      overwrote: this.#overwrote,
      ...(this.#comparison === undefined ? {} : { comparison: this.#comparison }),
      ...(this.#manifest === undefined ? {} : { manifest: this.#manifest }),
      warnings: [...this.#warnings],
      leftOpen: [...this.#leftOpen],
      ...(error === undefined ? {} : { error: reportedError(error) }),
    }
  }
}
