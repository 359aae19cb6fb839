import { shown } from '../model/shown.ts'
import type { Window, Windowed } from '../model/window.ts'
import { listOf } from './agent-kinds.ts'
import { type Kind, kind, Wrong } from './kind.ts'
import { size } from './quantities.ts'

const dayNames = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat']
const everyDay = [0, 1, 2, 3, 4, 5, 6]
const howWindows = '[DAYS] HH:MM-HH:MM, such as Mon-Fri 08:00-18:00 or 22:00-06:00'

/** Parts of the week, by the wall clock. */
export const windows: Kind<Window[]> = listOf(
  `${howWindows}; more of them after commas`,
  readWindow,
  writeWindow,
)

/** Amounts per second, some of them for parts of the week only; the first that fits counts. */
export const rates: Kind<Windowed<number>[]> = listOf(
  `AMOUNT, or AMOUNT ${howWindows}; the first that fits counts`,
  (text) => {
    const [, amount = '', rest = ''] = /^(\S+)(?:\s+(.*))?$/.exec(text) ?? []
    const read = size({ from: '64K', to: '1T' }).schema.safeDecode(amount)
    if (read.data === undefined) return new Wrong(`${shown(amount)} is not an amount of data`)
    if (rest === '') return { value: read.data }
    const window = readWindow(rest)
    return window instanceof Wrong ? window : { value: read.data, window }
  },
  ({ value, window }) =>
    [
      size({ from: '64K', to: '1T' }).schema.encode(value),
      ...(window === undefined ? [] : [writeWindow(window)]),
    ].join(' '),
)

/** When a digest is sent: every day, or on one day of the week (0 = Sunday), so many minutes after midnight. */
export interface DigestTime {
  day?: number
  minute: number
}

/** When a digest is sent. */
export const digestTime: Kind<DigestTime> = kind(
  'daily HH:MM or weekly DAY HH:MM, such as weekly Mon 07:00',
  (text) => {
    const [, word, dayName, time = ''] =
      /^(daily|weekly)(?:\s+([A-Za-z]+))?\s+(\d{1,2}:\d{2})$/i.exec(text) ?? []
    const minute = minuteIn(time)
    if (word === undefined || minute === undefined || minute === 1440)
      return new Wrong(`${shown(text)} is not a time of a digest`)
    const day = dayName === undefined ? undefined : dayIn(dayName)
    if (word.toLowerCase() === 'daily') {
      return dayName === undefined ? { minute } : new Wrong(`${shown(text)} names a day although it is daily`)
    }
    return day === undefined ? new Wrong(`${shown(text)} names no day`) : { day, minute }
  },
  ({ day, minute }) =>
    day === undefined ? `daily ${timeOf(minute)}` : `weekly ${dayNames[day]} ${timeOf(minute)}`,
)

function readWindow(text: string): Window | Wrong {
  const [, days = '', from = '', to = ''] =
    /^(?:([A-Za-z]+(?:-[A-Za-z]+)?)\s+)?(\d{1,2}:\d{2})-(\d{1,2}:\d{2})$/.exec(text) ?? []
  const window = { days: days === '' ? everyDay : daysIn(days), from: minuteIn(from), to: minuteIn(to) }
  if (window.days === undefined || window.from === undefined || window.to === undefined)
    return new Wrong(`${shown(text)} is not a part of the week`)
  if (window.from === 1440 || window.from === window.to) return new Wrong(`${shown(text)} has no length`)
  return { days: window.days, from: window.from, to: window.to }
}

function writeWindow({ days, from, to }: Window): string {
  const times = `${timeOf(from)}-${timeOf(to)}`
  if (days.length === everyDay.length) return times
  const [first = 0] = days
  const last = days.at(-1) ?? first
  const named = first === last ? dayNames[first] : `${dayNames[first]}-${dayNames[last]}`
  return `${named} ${times}`
}

function daysIn(text: string): number[] | undefined {
  const [first, last] = text.split('-').map(dayIn)
  if (first === undefined) return undefined
  if (!text.includes('-')) return [first]
  if (last === undefined) return undefined
  const count = ((last - first + 7) % 7) + 1
  return Array.from({ length: count }, (_, index) => (first + index) % 7)
}

function dayIn(name: string): number | undefined {
  const found = dayNames.findIndex((day) => name.toLowerCase().startsWith(day.toLowerCase()))
  return found < 0 ? undefined : found
}

/** Minutes after midnight; 24:00 is the end of the day. */
function minuteIn(time: string): number | undefined {
  const [, hours, minutes] = /^(\d{1,2}):(\d{2})$/.exec(time) ?? []
  if (hours === undefined || Number(minutes) > 59) return undefined
  const minute = Number(hours) * 60 + Number(minutes)
  return minute <= 1440 ? minute : undefined
}

function timeOf(minute: number): string {
  return `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`
}
