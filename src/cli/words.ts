import type { Comparison } from '../run/report.ts'

/** A duration for people: `3.4 s`, `2 min 5 s`, `1 h 12 min`. */
export function durationWords(ms: number): string {
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`
  const seconds = Math.round(ms / 1000)
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`
  return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`
}

/** An age for people, in its largest unit or two: `4 min`, `3 h 5 min`, `2 d 4 h`. */
export function ageWords(ms: number): string {
  const minutes = Math.max(0, Math.floor(ms / 60_000))
  const [days, hours] = [Math.floor(minutes / 1440), Math.floor(minutes / 60) % 24]
  if (days > 0) return `${days} d ${hours} h`
  return hours > 0 ? `${hours} h ${minutes % 60} min` : `${minutes} min`
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
