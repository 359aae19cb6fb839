import type { PairView } from '../agent/view.ts'
import type { Comparison } from '../run/report.ts'
import type { Look } from './look.ts'

/** A duration for people: `3.4 s`, `2 min 5 s`, `1 h 12 min`. */
export function durationWords(ms: number): string {
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`
  const seconds = Math.round(ms / 1000)
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`
  return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`
}

/** An estimate for people, no finer than it is: `about 3 min left`. */
export function leftWords(ms: number): string {
  const minutes = Math.round(ms / 60_000)
  if (minutes < 1) return 'less than a minute left'
  if (minutes < 90) return `about ${minutes} min left`
  return `about ${Math.round(ms / 3_600_000)} h left`
}

/** An age for people, in its largest unit or two: `4 min`, `3 h 5 min`, `4 h`, `2 d 4 h`. */
export function ageWords(ms: number): string {
  const minutes = Math.max(0, Math.floor(ms / 60_000))
  const [days, hours] = [Math.floor(minutes / 1440), Math.floor(minutes / 60) % 24]
  const parts = days > 0 ? [`${days} d`, `${hours} h`] : [`${hours} h`, `${minutes % 60} min`]
  return parts.filter((part) => !part.startsWith('0 ')).join(' ') || '0 min'
}

/** An instant by the wall clock, as short as can be told from `now`: `14:20`, `Tue 14:20`, `2026-12-24 14:20`. */
export function clockWords(at: string, { now, timeZone }: Pick<Look, 'now' | 'timeZone'>): string {
  const then = Date.parse(at)
  const zone = timeZone === undefined ? {} : { timeZone }
  // Swedish writes dates as ISO 8601 does.
  const format = new Intl.DateTimeFormat('sv-SE', { dateStyle: 'short', timeStyle: 'short', ...zone })
  const [date = '', time = ''] = format.format(then).split(' ')
  if (format.format(now).startsWith(date)) return time
  if (Math.abs(then - now) >= 6 * 86_400_000) return `${date} ${time}`
  return `${new Intl.DateTimeFormat('en-GB', { weekday: 'short', ...zone }).format(then)} ${time}`
}

/** Now by the wall clock, to the second. */
export function timeWords({ now, timeZone }: Pick<Look, 'now' | 'timeZone'>): string {
  const zone = timeZone === undefined ? {} : { timeZone }
  return new Intl.DateTimeFormat('sv-SE', { timeStyle: 'medium', ...zone }).format(now)
}

/** Two volumes, as a run goes from one to the other. */
export function pairWords({ primary, secondary: { host, volume } }: PairView): string {
  return `${primary} to ${host}:${volume}`
}

/** How many VMs of those that could be are protected: `12 of 13`. */
export function countWords(vms: { protected: number; failed: number }): string {
  return `${vms.protected} of ${vms.protected + vms.failed}`
}

/** A size for people, in powers of 1024. */
export function sizeWords(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB']
  const power = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log2(Math.max(1, bytes)) / 10)))
  const value = bytes / 1024 ** power
  return `${power === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[power]}`
}

/** How a copy was compared, in a few words. */
export function comparisonWords({ mode, bytesRead, healed }: Comparison): string {
  if (mode === 'off') return 'the copy was not compared'
  const again = healed === 0 ? '' : `, ${healed} healed by sending again`
  return `compared ${mode === 'full' ? 'in full' : 'by samples'}, ${sizeWords(bytesRead)} read at each end${again}`
}
