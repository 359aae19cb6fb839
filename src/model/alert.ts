export type Severity = 'normal' | 'warning' | 'alert'

/** What somebody should be told. Plain data: it is kept, and sent perhaps after a restart. */
export interface Alert {
  /** Of this telling: the same id is never told twice. */
  id: string
  /** What it is about, e.g. `rpo data 2f6c...`: tellings about one matter are folded together. */
  matter: string
  kind:
    | 'run protected'
    | 'run not protected'
    | 'run missed'
    | 'run skipped'
    | 'rpo warning'
    | 'rpo breach'
    | 'rpo clear'
    | 'trouble'
    | 'trouble over'
    | 'test'
  severity: Severity
  /** Epoch milliseconds. */
  at: number
  job?: string
  vm?: string
  /** The run that it is about. */
  run?: string
  /** One line. */
  title: string
  /** What happened, why, and what to do now; lines. */
  text: string
}
