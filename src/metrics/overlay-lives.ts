import type { RunEvent } from '../run/event.ts'

type OfVm = RunEvent & { kind: 'vm' }

/** How long VMs have run on overlays, told from what runs did; a merge in a later run counts from the snapshot it ends. */
export class OverlayLives {
  readonly #began = new Map<string, number>()
  readonly #last = new Map<string, number>()

  /** Milliseconds of the life that this event ends, if it ends one. `pair`: a VM has one overlay chain on each. */
  see({ vm, did, asked }: OfVm, pair: string, now: number): number | undefined {
    const key = `${pair} ${vm.id}`
    if (did === 'snapshot taken') {
      if (!this.#began.has(key)) this.#began.set(key, now - (asked?.ms ?? 0))
      return undefined
    }
    const began = this.#began.get(key)
    if (did !== 'merged' || began === undefined) return undefined
    this.#began.delete(key)
    const lived = Math.max(0, now - began)
    this.#last.set(vm.id, lived)
    return lived
  }

  /** Milliseconds, of the newest overlay of the VM that has been merged. */
  last(vm: string): number | undefined {
    return this.#last.get(vm)
  }

  /** Of VMs that are no more nothing is kept; that there are none at all is not believed. */
  keepOnly(vms: ReadonlySet<string>): void {
    if (vms.size === 0) return
    for (const key of this.#began.keys())
      if (!vms.has(key.slice(key.lastIndexOf(' ') + 1))) this.#began.delete(key)
    for (const id of this.#last.keys()) if (!vms.has(id)) this.#last.delete(id)
  }
}
