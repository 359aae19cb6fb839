import stringWidth from 'string-width'
import { cut } from './cut.ts'

/** No column is made narrower than this to let the others in. */
const narrowest = 8
const gap = 2

/**
 * Rows under a head, in columns as wide as needed; widths count what a terminal shows. With `columns` no line is longer:
 * the last column gives way first, since reasons stand there, then the widest.
 */
export function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  columns = Infinity,
): string {
  const needed = head.map((title, column) =>
    Math.max(...[head, ...rows].map((row) => stringWidth(row[column] ?? '')), stringWidth(title)),
  )
  const widths = fitted(needed, columns)
  const line = (row: readonly string[]): string =>
    cut(
      widths
        .map((width, column) => {
          const cell = cut(row[column] ?? '', width)
          return cell + ' '.repeat(width - stringWidth(cell))
        })
        .join(' '.repeat(gap))
        .trimEnd(),
      columns,
    )
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n')
}

function fitted(needed: readonly number[], columns: number): number[] {
  const widths = [...needed]
  let over = widths.reduce((sum, width) => sum + width + gap, -gap) - columns
  for (; over > 0; over -= 1) {
    const last = widths.length - 1
    const giving = (widths[last] ?? 0) > narrowest ? last : widths.indexOf(Math.max(...widths))
    if ((widths[giving] ?? 0) <= narrowest) break
    widths[giving] = (widths[giving] ?? 0) - 1
  }
  return widths
}
