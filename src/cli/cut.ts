import stringWidth from 'string-width'

// What Paint puts around a text (SGR); it takes no column.
const colour = new RegExp(`(${String.fromCharCode(27)}\\[[0-9;]*m)`)
const signs = new Intl.Segmenter()

/** Painted text in at most so many columns of a terminal, ending in `…` where something was cut; colours that began still end. */
export function cut(text: string, columns: number): string {
  if (stringWidth(text) <= columns) return text
  if (columns < 1) return ''
  let left = columns - 1
  let full = false
  const kept = text.split(colour).map((part, index) => {
    if (index % 2 === 1) return part
    let taken = ''
    for (const { segment } of signs.segment(part)) {
      left -= stringWidth(segment)
      if (full || left < 0) {
        const end = full ? '' : '…'
        full = true
        return taken + end
      }
      taken += segment
    }
    return taken
  })
  return kept.join('')
}
