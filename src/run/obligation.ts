import type { Overlay, VmRef } from '../model/vm.ts'

/** What a run owes the world, written down before the act that makes it owed. */
export type Obligation =
  /** Settled by: the guest's file systems are thawed. */
  | { kind: 'freeze'; vm: VmRef }
  /** Settled by: no snapshot of that description is left and no disk of the VM runs on one of the overlays. */
  | { kind: 'snapshot'; vm: VmRef; domain: string; description: string; overlays: Overlay[] }
  /** Settled by: these overlays are gone from the secondary and their bases are tops of their chains again. */
  | { kind: 'overlays'; vm: VmRef; domain: string; overlays: Overlay[] }
  /** Settled by: the replication session is stopped. */
  | { kind: 'session' }
  /** Settled by: unmounted, directory removed. */
  | { kind: 'mount'; dir: string }
  /** Settled by: the engine's job with this text in its description has ended. */
  | { kind: 'job'; text: string }
  /** Settled by: the closing event is posted, with this number. */
  | { kind: 'event'; number: number; startedAt: string }

/** An obligation in the ledger. */
export interface Owed {
  id: number
  run: string
  what: Obligation
}

/** For people: what is owed, in a few words. */
export function describeObligation(what: Obligation): string {
  switch (what.kind) {
    case 'freeze':
      return `thaw of the file systems of VM ${what.vm.name}`
    case 'snapshot':
      return `merge of snapshot "${what.description}" of VM ${what.vm.name}`
    case 'overlays':
      return `removal of ${what.overlays.length} overlay(s) of VM ${what.vm.name} on the secondary`
    case 'session':
      return 'stop of the replication session'
    case 'mount':
      return `unmount of ${what.dir}`
    case 'job':
      return `end of the engine's job "${what.text}"`
    case 'event':
      return 'closing event on the engine'
    default:
      return what satisfies never
  }
}
