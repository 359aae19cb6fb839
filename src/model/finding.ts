/** One thing that preflight found: an `error` refuses the run, a `warning` is said and the run goes on. */
export interface Finding {
  severity: 'error' | 'warning'
  /** What was looked at, e.g. `secondary volume data-dr`. */
  subject: string
  what: string
  /** What to do about it. */
  hint: string
}
