/** A part of the week by the wall clock: from a minute of the day to another, on some days. It may go past midnight. */
export interface Window {
  /** On which it begins; 0 = Sunday. */
  days: readonly number[]
  /** Minutes after midnight. */
  from: number
  /** 1440 = midnight at the day's end; not above `from` = it ends on the next day. */
  to: number
}

/** What may be done while a window is open, such as bytes per second; without a window always. */
export interface Windowed<T> {
  value: T
  window?: Window
}
