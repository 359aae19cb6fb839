import { z } from 'zod'
import type { Alert } from '../model/alert.ts'
import { chainOf, hintOf } from '../model/errors.ts'
import type { Clock } from '../run/clock.ts'
import type { Book } from './book.ts'
import { tellTrouble } from './tellings.ts'

const prefix = 'trouble '

interface Trouble {
  since: number
  what: string
  told: boolean
}

const ToldTrouble = z.object({ since: z.number(), what: z.string() })

/** What somebody was told of is kept in the agent's book, so that they are told that it is over also by the next agent. */
interface Kept {
  book: Book
  /** Whether it is still looked at: what was told of another matter is forgotten. */
  isLookedAt(matter: string): boolean
}

/** What keeps the agent from its work at this moment, by matter; somebody is told when it lasts, and when it is over. */
export class Troubles {
  readonly #open = new Map<string, Trouble>()
  readonly #clock: Clock
  readonly #tell: (alert: Alert) => void
  readonly #kept: Kept

  constructor(clock: Clock, tell: (alert: Alert) => void, kept: Kept) {
    this.#clock = clock
    this.#tell = tell
    this.#kept = kept
    const told = kept.book.all(prefix, ToldTrouble)
    for (const [matter, trouble] of told) {
      if (kept.isLookedAt(matter)) this.#open.set(matter, { ...trouble, told: true })
      else this.#write(matter, undefined)
    }
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
    if (trouble.told) this.#keep(matter, { since: trouble.since, what })
  }

  /** It is over; true if it was there. */
  cleared(matter: string): boolean {
    const trouble = this.#open.get(matter)
    if (trouble === undefined) return false
    this.#open.delete(matter)
    if (!trouble.told) return true
    this.#told(tellTrouble(matter, '', trouble.since, this.#clock.now(), true))
    this.#keep(matter, undefined)
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

  #keep(matter: string, told: z.infer<typeof ToldTrouble> | undefined): void {
    if (this.#kept.isLookedAt(matter)) this.#write(matter, told)
  }

  #write(matter: string, told: z.infer<typeof ToldTrouble> | undefined): void {
    try {
      this.#kept.book.set(new Map([[prefix + matter, told]]))
    } catch {
      // A book that cannot be written is a trouble of its own; who writes more than this into it tells of it.
    }
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
