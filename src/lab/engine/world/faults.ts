import { randomUUID } from 'node:crypto'
import type { PauseReason, VmAct } from './vm-acts.ts'

/** What goes wrong inside the engine and its hosts. `vm` is a name or an id; without it any VM is hit. */
type WorldEffect =
  | { at: 'snapshot'; effect: 'fails'; vm?: string }
  | { at: 'live'; effect: 'fails' | 'fails in use'; vm?: string }
  /** `fails late`: the blocks are merged, the overlay is marked and stays. */
  | { at: 'merge'; effect: 'fails' | 'fails late' | 'never ends' | 'row stays'; vm?: string; disk?: string }
  /** `fails frozen`: the guest is frozen and its agent answers too late. */
  | { at: 'freeze'; effect: 'fails' | 'fails frozen' | 'hangs'; ms?: number; vm?: string }
  | { at: 'job'; effect: 'vanishes' }
  | { at: 'ovf'; effect: 'fails' }

/** What goes wrong with a request, before or after the engine has acted on it. */
export interface HttpEffect {
  at: 'request' | 'response'
  /** Both are regular expressions, matched against the whole method and the path with its query. */
  match: { method?: string; path?: string }
  effect:
    | { kind: 'status'; status: number; body?: string; contentType?: string }
    | { kind: 'conflict'; detail?: string }
    | { kind: 'html 401' }
    | { kind: 'drop' }
    | { kind: 'delay'; ms: number }
    | { kind: 'vm'; vm: string; act: VmAct; reason?: PauseReason }
}

export type FaultSpec = (WorldEffect | HttpEffect) & {
  /** How often it strikes; default 1, 0 means always. */
  times?: number
  /** How many chances it lets pass first. */
  skip?: number
}

export type Fault = FaultSpec & { id: string; left: number; skipLeft: number; struck: number }

type At = FaultSpec['at']
type Looking<A extends At> = { at: A; fits?: (fault: Extract<Fault, { at: A }>) => boolean }

/** The faults ordered for a world, oldest first. */
export class Faults {
  readonly #armed: Fault[] = []

  arm(spec: FaultSpec): Fault {
    const times = spec.times ?? 1
    const fault: Fault = {
      ...spec,
      id: randomUUID(),
      left: times === 0 ? Number.POSITIVE_INFINITY : times,
      skipLeft: spec.skip ?? 0,
      struck: 0,
    }
    this.#armed.push(fault)
    return fault
  }

  /** Those still armed and those already spent. */
  list(): readonly Fault[] {
    return this.#armed
  }

  clear(id?: string): void {
    const kept = id === undefined ? [] : this.#armed.filter((fault) => fault.id !== id)
    this.#armed.splice(0, this.#armed.length, ...kept)
  }

  /** The first fault that strikes here, counted as having struck. */
  take<A extends At>({ at, fits }: Looking<A>): Extract<Fault, { at: A }> | undefined {
    for (const fault of this.#armed) {
      if (fault.at !== at || fault.left === 0) continue
      const candidate = fault as Extract<Fault, { at: A }>
      if (fits?.(candidate) === false) continue
      if (fault.skipLeft > 0) {
        fault.skipLeft--
        continue
      }
      fault.left--
      fault.struck++
      return candidate
    }
    return undefined
  }
}

/** Whether a fault is meant for this VM. */
export function strikes(fault: { vm?: string }, vm: { id: string; name: string }): boolean {
  return fault.vm === undefined || fault.vm === vm.id || fault.vm === vm.name
}
