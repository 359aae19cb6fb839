import type { Alert } from '../model/alert.ts'
import { chainOf, hintOf } from '../model/errors.ts'
import type { Clock } from '../run/clock.ts'
import { tellTrouble } from './tellings.ts'

interface Trouble {
  since: number
  what: string
  told: boolean
}

/** What keeps the agent from its work at this moment, by matter; somebody is told when it lasts, and when it is over. */
export class Troubles {
  readonly #open = new Map<string, Trouble>()
  readonly #clock: Clock
  readonly #tell: (alert: Alert) => void

  constructor(clock: Clock, tell: (alert: Alert) => void) {
    this.#clock = clock
    this.#tell = tell
  }

  /** Notes it; tells once it has lasted for `patienceMs`. */
  met(matter: string, error: unknown, patienceMs: number): void {
    const now = this.#clock.now()
    const hint = hintOf(error)
    const what = chainOf(error).join(': ') + (hint === undefined ? '' : `\nWhat to do: ${hint}`)
    const trouble: Trouble = { since: now, told: false, ...this.#open.get(matter), what }
    this.#open.set(matter, trouble)
    if (trouble.told || now - trouble.since < patienceMs) return
    trouble.told = this.#told(tellTrouble(matter, what, trouble.since, now, false))
  }

  /** It is over; true if it was there. */
  cleared(matter: string): boolean {
    const trouble = this.#open.get(matter)
    if (trouble === undefined) return false
    this.#open.delete(matter)
    if (trouble.told) this.#told(tellTrouble(matter, '', trouble.since, this.#clock.now(), true))
    return true
  }

  /** Does it, or notes why it could not be done. */
  guard(matter: string, act: () => void): void {
    try {
      act()
    } catch (error) {
      this.met(matter, error, 0)
      return
    }
    this.cleared(matter)
  }

  /** Reads it, or notes why that could not be done, and takes the other value. */
  readOr<T>(matter: string, otherwise: T, read: () => T): T {
    try {
      return read()
    } catch (error) {
      this.met(matter, error, 0)
      return otherwise
    }
  }

  /** Tells somebody; that nobody could be told is a trouble, too. */
  tell(alert: Alert): void {
    this.guard('alerts', () => this.#tell(alert))
  }

  list(): { matter: string; since: number; what: string }[] {
    return [...this.#open].map(([matter, { since, what }]) => ({ matter, since, what }))
  }

  /** Where not even that can be written down, it still shows in the list. */
  #told(alert: Alert): boolean {
    try {
      this.#tell(alert)
      return true
    } catch {
      return false
    }
  }
}
