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

const minuteMs = 60_000
const dayMs = 1440 * minuteMs
const farthestMs = 8 * dayMs

/**
 * Whether the wall clock of that zone (absent: the system's) is inside the window. An hour that a change of the clocks leaves
 * out opens nothing; one that comes twice opens a window in it twice.
 */
export function isOpen(window: Window, at: number, timeZone?: string): boolean {
  return msLeft(window, wallClock(at, timeZone)) > 0
}

/**
 * When none of the windows is open any more, in epoch milliseconds: windows that follow each other without a gap count as
 * one. At most 8 days from `at`; undefined when none is open.
 */
export function openUntil(windows: readonly Window[], at: number, timeZone?: string): number | undefined {
  let end = at
  while (end - at < farthestMs) {
    const wall = wallClock(end, timeZone)
    const left = Math.max(0, ...windows.map((window) => msLeft(window, wall)))
    if (left === 0) break
    end = untilClocksChange(end, end + left, timeZone)
  }
  return end === at ? undefined : Math.min(end, at + farthestMs)
}

/** What holds at that moment: the first without a window or with one that is open; undefined when none is. */
export function valueAt<T>(values: readonly Windowed<T>[], at: number, timeZone?: string): T | undefined {
  return values.find(({ window }) => window === undefined || isOpen(window, at, timeZone))?.value
}

/** How long the window is still open while nobody changes the clocks; 0 when it is closed. */
function msLeft({ days, from, to }: Window, wall: number): number {
  const today = new Date(wall).getUTCDay()
  const sinceMidnight = ((wall % dayMs) + dayMs) % dayMs
  const end = to > from ? to : to + 1440
  const leftOf = (began: number, ms: number): number =>
    days.includes(began) && ms >= from * minuteMs ? Math.max(0, end * minuteMs - ms) : 0
  return Math.max(leftOf(today, sinceMidnight), leftOf((today + 6) % 7, sinceMidnight + dayMs))
}

/** `to`, or the moment in between at which clocks were changed: what was left by the clock is then another time. */
function untilClocksChange(from: number, to: number, timeZone: string | undefined): number {
  const offset = (at: number) => wallClock(at, timeZone) - at
  const before = offset(from)
  if (offset(to) === before) return to
  let [same, other] = [from, to]
  while (other - same > 1) {
    const middle = Math.floor((same + other) / 2)
    if (offset(middle) === before) same = middle
    else other = middle
  }
  return other
}

const formats = new Map<string | undefined, Intl.DateTimeFormat>()

/** What the clock on the wall shows, as the epoch milliseconds at which one in UTC shows the same. */
function wallClock(at: number, timeZone: string | undefined): number {
  const shown = new Map(
    formatIn(timeZone)
      .formatToParts(at)
      .map(({ type, value }) => [type, Number(value)]),
  )
  const part = (type: Intl.DateTimeFormatPartTypes) => shown.get(type) ?? 0
  const ms = ((at % 1000) + 1000) % 1000
  const { UTC } = Date
  return UTC(part('year'), part('month') - 1, part('day'), part('hour'), part('minute'), part('second'), ms)
}

function formatIn(timeZone: string | undefined): Intl.DateTimeFormat {
  const known = formats.get(timeZone)
  if (known !== undefined) return known
  const numeric = 'numeric'
  const format = new Intl.DateTimeFormat('en-US', {
    ...(timeZone === undefined ? {} : { timeZone }),
    calendar: 'gregory',
    hourCycle: 'h23',
    year: numeric,
    month: numeric,
    day: numeric,
    hour: numeric,
    minute: numeric,
    second: numeric,
  })
  formats.set(timeZone, format)
  return format
}
