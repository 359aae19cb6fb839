import { shown } from '../model/shown.ts'
import { type Kind, kind, Wrong } from './kind.ts'

const durationUnits = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }
const durationNames = { seconds: 's', minutes: 'm', days: 'd' } as const
const sizeUnits = { K: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40 }

/** A length of time, in milliseconds. With `zero: 'longest'`, 0 stands for the longest one allowed. */
export function duration(
  bare: keyof typeof durationNames,
  bounds: { from: string; to: string; zero?: 'longest' },
): Kind<number> {
  const unit = durationNames[bare]
  const from = read(bounds.from, durationUnits, unit)
  const to = read(bounds.to, durationUnits, unit)
  const zero = bounds.zero === undefined ? '' : `; 0 = ${bounds.to}`
  return kind(
    `${bounds.from} to ${bounds.to}, written 500ms, 90s, 10m, 2h or 1d; a bare number means ${bare}${zero}`,
    (text) => {
      const ms = read(text, durationUnits, unit)
      if (Number.isNaN(ms)) return new Wrong(`${shown(text)} is not a length of time`)
      if (ms === 0 && bounds.zero === 'longest') return to
      return ms >= from && ms <= to ? ms : new Wrong(`${shown(text)} is too ${ms < from ? 'short' : 'long'}`)
    },
    (ms) => write(ms, durationUnits, 'ms'),
  )
}

/** An amount of data, in bytes; units are powers of 1024. */
export function size(bounds: { from: string; to: string }): Kind<number> {
  const from = read(bounds.from, sizeUnits, '')
  const to = read(bounds.to, sizeUnits, '')
  return kind(
    `${bounds.from} to ${bounds.to}, written 64K, 16M or 1G; a bare number means bytes`,
    (text) => {
      const bytes = bytesIn(text)
      if (Number.isNaN(bytes)) return new Wrong(`${shown(text)} is not an amount of data`)
      return bytes >= from && bytes <= to
        ? bytes
        : new Wrong(`${shown(text)} is too ${bytes < from ? 'small' : 'large'}`)
    },
    (bytes) => write(bytes, sizeUnits, ''),
  )
}

/** Room on a volume: so many bytes, or so much of its size. */
export type Room = { bytes: number } | { percent: number }

/** Room on a volume, as an amount of data or as a percentage of the volume's size. */
export function room(): Kind<Room> {
  return kind(
    'an amount of data such as 512M or 20G, or a percentage of the volume from 0% to 90%',
    (text) => {
      const [, percent] = /^(\d{1,2}(?:\.\d{1,3})?)\s*%$/.exec(text) ?? []
      if (percent !== undefined) {
        return Number(percent) <= 90 ? { percent: Number(percent) } : new Wrong(`${shown(text)} is too large`)
      }
      const bytes = bytesIn(text)
      return Number.isNaN(bytes)
        ? new Wrong(`${shown(text)} is neither an amount of data nor a percentage`)
        : { bytes }
    },
    (one) => ('percent' in one ? `${one.percent}%` : write(one.bytes, sizeUnits, '')),
  )
}

function bytesIn(text: string): number {
  return read(text.toUpperCase().replace(/(I?B)$/, ''), sizeUnits, '')
}

function read(text: string, units: Record<string, number>, bare: string): number {
  const [, amount, unit] = /^(\d{1,15}(?:\.\d{1,6})?)\s*([a-z]*)$/i.exec(text) ?? []
  const factor = unit === '' ? (units[bare] ?? 1) : units[unit ?? '']
  return amount === undefined || factor === undefined ? Number.NaN : Math.round(Number(amount) * factor)
}

function write(amount: number, units: Record<string, number>, smallest: string): string {
  const fits = Object.entries(units).filter(([, factor]) => amount >= factor && amount % factor === 0)
  const [unit, factor] = fits.at(-1) ?? [smallest, 1]
  return `${amount / factor}${unit}`
}
