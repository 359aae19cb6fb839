import { entityId, uuid } from '../model/names.ts'
import { oneLine } from '../model/shown.ts'
import type { Overlay, VmRef } from '../model/vm.ts'

/** What a run owes the world, written down before the act that makes it owed. */
export type Obligation =
  /** Settled by: the guest's file systems are thawed. */
  | { kind: 'freeze'; vm: VmRef }
  /**
   * Settled by: no snapshot of that description is left and no disk of the VM runs on one of the overlays. `shared`: several runs owe it, each
   * for its own volume, and any of them may merge it.
   */
  | {
      kind: 'snapshot'
      vm: VmRef
      domain: string
      description: string
      overlays: Overlay[]
      shared?: true
    }
  /** Settled by: these overlays are gone from the secondary and their bases are tops of their chains again. */
  | { kind: 'overlays'; vm: VmRef; domain: string; overlays: Overlay[] }
  /** Settled by: the replication session is stopped, however it was found: a running one would tear the copy. */
  | { kind: 'session' }
  /** Settled by: what limits the session is as it was found. */
  | { kind: 'bandwidth'; found: Readonly<Record<string, string>> }
  /** Settled by: unmounted, directory removed, on the machine (its id) that mounted it. */
  | { kind: 'mount'; dir: string; on: string }
  /** Settled by: the engine's job with this text in its description has ended. */
  | { kind: 'job'; text: string }
  /** Settled by: the closing event is posted, with this number. */
  | { kind: 'event'; number: number; startedAt: string }
  /** What no version known here would write; never settled, never forgotten. */
  | { kind: 'unknown'; text: string }

/** An obligation in the ledger. */
export interface Owed {
  id: number
  run: string
  what: Obligation
}

/** For people: what is owed, in a few words on one line. */
export function describeObligation(what: Obligation): string {
  return oneLine(wordsFor(what))
}

function wordsFor(what: Obligation): string {
  switch (what.kind) {
    case 'freeze':
      return `thaw of the file systems of VM ${what.vm.name}`
    case 'snapshot':
      return `merge of snapshot "${what.description}" of VM ${what.vm.name}`
    case 'overlays':
      return `removal of ${what.overlays.length} overlay(s) of VM ${what.vm.name} on the secondary`
    case 'session':
      return 'stop of the replication session'
    case 'bandwidth':
      return "restoring of the replication session's own limit"
    case 'mount':
      return `unmount of ${what.dir}`
    case 'job':
      return `end of the engine's job "${what.text}"`
    case 'event':
      return 'closing event on the engine'
    case 'unknown':
      return `something that this version does not understand: ${what.text}`
    default:
      return what satisfies never
  }
}

type Shape = Record<string, (value: unknown) => boolean>

const isText = (value: unknown): boolean => typeof value === 'string'
// They become parts of paths: what is none was damaged, and nothing is removed by it.
const isUuid = (value: unknown): boolean => typeof value === 'string' && uuid.test(value)
const isId = (value: unknown): boolean => typeof value === 'string' && entityId.test(value)
const isVm = (value: unknown): boolean => has(value, { id: isId, name: isText })
const isOverlays = (value: unknown): boolean =>
  Array.isArray(value) && value.every((one) => has(one, { image: isUuid, base: isUuid, overlay: isUuid }))
// They become arguments of a command.
const isSettings = (value: unknown): boolean =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  Object.entries(value).every(([name, text]) => /^[a-z][a-z-]{0,63}$/.test(name) && isSetting(text))
const isSetting = (value: unknown): boolean =>
  typeof value === 'string' && value.length <= 4096 && !/\p{Cc}/u.test(value)

const shapes: { readonly [K in Obligation['kind']]: Shape } = {
  freeze: { vm: isVm },
  snapshot: { vm: isVm, domain: isUuid, description: isText, overlays: isOverlays },
  overlays: { vm: isVm, domain: isUuid, overlays: isOverlays },
  session: {},
  bandwidth: { found: isSettings },
  mount: { dir: isText, on: isText },
  job: { text: isText },
  event: { number: Number.isSafeInteger, startedAt: isText },
  unknown: { text: isText },
}

/** What a line of the ledger says; `unknown` if it was damaged, or written by another version. Never throws. */
export function obligationIn(text: string): Obligation {
  try {
    const what: unknown = JSON.parse(text)
    const kind: unknown = typeof what === 'object' && what !== null && 'kind' in what ? what.kind : undefined
    const shape =
      typeof kind === 'string' && Object.hasOwn(shapes, kind) && shapes[kind as Obligation['kind']]
    if (shape && has(what, shape)) return what as Obligation
  } catch {
    // Told as it stands.
  }
  return { kind: 'unknown', text }
}

function has(value: unknown, shape: Shape): boolean {
  if (typeof value !== 'object' || value === null) return false
  return Object.entries(shape).every(([name, fits]) => fits((value as Record<string, unknown>)[name]))
}
