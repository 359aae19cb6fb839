import { describe, expect, it } from 'vitest'
import { isOpen, openUntil, valueAt, type Window } from '../../src/model/window.ts'

const everyDay = [0, 1, 2, 3, 4, 5, 6]
const weekdays = [1, 2, 3, 4, 5]
const vienna = 'Europe/Vienna'
const newYork = 'America/New_York'

/** `22:00` to minutes. */
function minute(time: string): number {
  const [hours, minutes] = time.split(':').map(Number)
  return (hours ?? 0) * 60 + (minutes ?? 0)
}

function window(from: string, to: string, days: readonly number[] = everyDay): Window {
  return { days, from: minute(from), to: minute(to) }
}

const at = (iso: string): number => Date.parse(iso)
const until = (windows: Window[], iso: string, zone: string): string | undefined => {
  const end = openUntil(windows, at(iso), zone)
  return end === undefined ? undefined : new Date(end).toISOString()
}

describe('a window', () => {
  it('is open from its first minute on and closed from its last', () => {
    const office = window('08:00', '18:00', weekdays)
    const open = (iso: string) => isOpen(office, at(iso), 'UTC')
    expect(open('2026-11-23T07:59:59.999Z')).toBe(false)
    expect(open('2026-11-23T08:00:00.000Z')).toBe(true)
    expect(open('2026-11-23T17:59:59.999Z')).toBe(true)
    expect(open('2026-11-23T18:00:00.000Z')).toBe(false)
    expect(open('2026-11-22T12:00:00Z')).toBe(false)
  })

  it('past midnight belongs to the day on which it began', () => {
    const night = window('22:00', '06:00', [5])
    const open = (iso: string) => isOpen(night, at(iso), 'UTC')
    expect(open('2026-11-27T23:00:00Z')).toBe(true)
    expect(open('2026-11-28T05:59:00Z')).toBe(true)
    expect(open('2026-11-28T06:00:00Z')).toBe(false)
    expect(open('2026-11-27T05:59:00Z')).toBe(false)
    expect(open('2026-11-28T23:00:00Z')).toBe(false)
  })

  it('goes past the end of the week, too', () => {
    const night = window('22:00', '06:00', [6])
    expect(isOpen(night, at('2026-11-29T01:00:00Z'), 'UTC')).toBe(true)
    expect(isOpen(night, at('2026-11-28T01:00:00Z'), 'UTC')).toBe(false)
  })

  it('to 24:00 ends with the day', () => {
    const evening = window('20:00', '24:00', [1])
    expect(isOpen(evening, at('2026-11-23T23:59:59.999Z'), 'UTC')).toBe(true)
    expect(isOpen(evening, at('2026-11-24T00:00:00Z'), 'UTC')).toBe(false)
  })

  it('goes by the clock of its zone', () => {
    const morning = window('08:00', '09:00', [2])
    expect(isOpen(morning, at('2026-11-23T23:30:00Z'), 'Asia/Tokyo')).toBe(true)
    expect(isOpen(morning, at('2026-11-23T23:30:00Z'), vienna)).toBe(false)
    expect(isOpen(morning, at('2026-11-24T02:45:00Z'), 'Asia/Kolkata')).toBe(true)
  })

  it('inside an hour that is left out does not open on that day', () => {
    const short = window('02:10', '02:50')
    const opens = (day: string) =>
      Array.from({ length: 24 * 60 }, (_, index) => at(day) + index * 60_000).filter((ms) =>
        isOpen(short, ms, vienna),
      ).length
    expect(opens('2026-03-27T23:00:00Z')).toBe(40)
    expect(opens('2026-03-28T23:00:00Z')).toBe(0)
  })

  it('inside an hour that comes twice opens twice', () => {
    const short = window('01:10', '01:50')
    expect(isOpen(short, at('2026-11-01T05:20:00Z'), newYork)).toBe(true)
    expect(isOpen(short, at('2026-11-01T06:05:00Z'), newYork)).toBe(false)
    expect(isOpen(short, at('2026-11-01T06:20:00Z'), newYork)).toBe(true)
  })

  it('without a zone goes by the system', () => {
    const here = new Date(2026, 10, 23, 12, 0).getTime()
    expect(isOpen(window('11:59', '12:01', [1]), here)).toBe(true)
    expect(isOpen(window('12:01', '12:03', [1]), here)).toBe(false)
  })
})

describe('the end of open windows', () => {
  it('is none while all are closed', () => {
    expect(until([window('08:00', '18:00')], '2026-11-23T19:00:00Z', 'UTC')).toBeUndefined()
    expect(until([], '2026-11-23T19:00:00Z', 'UTC')).toBeUndefined()
  })

  it('is that of the one that is open, to the millisecond', () => {
    expect(until([window('08:00', '18:00')], '2026-11-23T09:17:33.210Z', 'UTC')).toBe(
      '2026-11-23T18:00:00.000Z',
    )
  })

  it('is that of the last one of those that follow each other', () => {
    const chain = [
      window('22:00', '06:00', [1]),
      window('06:00', '08:00', [2]),
      window('07:00', '09:30', [2]),
      window('09:31', '10:00', [2]),
    ]
    expect(until(chain, '2026-11-23T23:00:00Z', 'UTC')).toBe('2026-11-24T09:30:00.000Z')
  })

  it('is eight days ahead at most', () => {
    expect(until([window('00:00', '24:00')], '2026-11-23T09:00:00Z', 'UTC')).toBe('2026-12-01T09:00:00.000Z')
  })

  it.each([
    ['spring, Vienna', vienna, '2026-03-28T22:00:00Z', '2026-03-29T04:00:00.000Z'],
    ['autumn, Vienna', vienna, '2026-10-24T21:00:00Z', '2026-10-25T05:00:00.000Z'],
    ['spring, New York', newYork, '2026-03-08T04:00:00Z', '2026-03-08T10:00:00.000Z'],
    ['autumn, New York', newYork, '2026-11-01T03:00:00Z', '2026-11-01T11:00:00.000Z'],
  ])('is by the clock although clocks change in between: %s', (_, zone, iso, end) => {
    expect(until([window('22:00', '06:00')], iso, zone)).toBe(end)
  })

  it('comes early where clocks jump over it, and the repeated hour is not skipped', () => {
    expect(until([window('01:00', '02:30')], '2026-03-29T00:30:00Z', vienna)).toBe('2026-03-29T01:00:00.000Z')
    expect(until([window('01:00', '03:00')], '2026-10-24T23:30:00Z', vienna)).toBe('2026-10-25T02:00:00.000Z')
    expect(until([window('01:00', '02:30')], '2026-10-25T00:15:00Z', vienna)).toBe('2026-10-25T00:30:00.000Z')
  })

  it.each([
    [vienna, '2026-03-28T12:00:00Z'],
    [vienna, '2026-10-24T12:00:00Z'],
    [newYork, '2026-03-07T18:00:00Z'],
    [newYork, '2026-10-31T18:00:00Z'],
  ])('agrees with a look at every minute of the day on which clocks change: %s from %s', (zone, day) => {
    const windows = [window('21:13', '01:40'), window('01:40', '02:20', [0]), window('04:00', '05:00')]
    const minutes = Array.from({ length: 24 * 60 }, (_, index) => at(day) + index * 60_000)
    const open = minutes.map((ms) => windows.some((one) => isOpen(one, ms, zone)))
    expect(new Set(open).size).toBe(2)
    const expected = minutes.map((_ms, index) =>
      open[index] ? minutes[open.indexOf(false, index)] : undefined,
    )
    expect(minutes.map((ms) => openUntil(windows, ms, zone))).toEqual(expected)
  })
})

it('the first value that fits holds: one without a window always does', () => {
  const rates = [
    { value: 1, window: window('08:00', '18:00', weekdays) },
    { value: 2, window: window('12:00', '20:00') },
    { value: 3 },
  ]
  expect(valueAt(rates, at('2026-11-23T13:00:00Z'), 'UTC')).toBe(1)
  expect(valueAt(rates, at('2026-11-23T19:00:00Z'), 'UTC')).toBe(2)
  expect(valueAt(rates, at('2026-11-23T23:00:00Z'), 'UTC')).toBe(3)
  expect(valueAt(rates.slice(0, 1), at('2026-11-22T13:00:00Z'), 'UTC')).toBeUndefined()
})
