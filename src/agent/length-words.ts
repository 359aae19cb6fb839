const units = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1000],
] as const

/** A length of time as somebody would set it, in its two largest units: `4 h`, `1 h 30 min`, `45 s`. */
export function lengthWords(ms: number): string {
  let left = Math.max(0, Math.round(ms / 1000) * 1000)
  const words: string[] = []
  for (const [name, size] of units) {
    const many = Math.floor(left / size)
    left -= many * size
    if (many > 0) words.push(`${many} ${name}`)
    else if (words.length > 0) break
  }
  return words.length === 0 ? '0 s' : words.slice(0, 2).join(' ')
}
