/** A length of time in its two largest units, e.g. `4 h 10 min`. */
export function spanWords(ms: number): string {
  const minutes = Math.max(0, Math.round(ms / 60_000))
  if (minutes < 60) return `${minutes} min`
  const hours = Math.floor(minutes / 60)
  if (hours < 48) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`
  const days = Math.floor(hours / 24)
  return hours % 24 === 0 ? `${days} d` : `${days} d ${hours % 24} h`
}

/** An instant by the wall clock of a time zone (default: that of the system), e.g. `2026-11-21 14:20`. */
export function timeWords(at: number, timeZone?: string): string {
  // Swedish writes dates as ISO 8601 does.
  const zone = timeZone === undefined ? {} : { timeZone }
  return new Intl.DateTimeFormat('sv-SE', { dateStyle: 'short', timeStyle: 'short', ...zone }).format(at)
}

/** `a, b and 3 more`. */
export function listWords(words: readonly string[], most: number): string {
  const more = words.length - most
  return more > 0 ? `${words.slice(0, most).join(', ')} and ${more} more` : words.join(', ')
}
