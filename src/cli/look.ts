import type { Paint } from './paint.ts'

/** How and when somebody looks: all that a renderer needs besides its data. */
export interface Look {
  /** Epoch milliseconds. */
  now: number
  paint: Paint
  /** Default: that of the system. */
  timeZone?: string
  /** Of a terminal that must not be overrun. Absent: as wide as needed. */
  columns?: number
  /** The same for its height. */
  rows?: number
}
