import stringWidth from 'string-width'

/** Rows under a head, in columns as wide as needed. */
export function textTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [head, ...rows]
  const widths = head.map((_, column) => Math.max(...all.map((row) => stringWidth(row[column] ?? ''))))
  return all
    .map((row) =>
      widths.map((width, column) =>
        (row[column] ?? '').padEnd(width + (row[column] ?? '').length - stringWidth(row[column] ?? '')),
      ),
    )
    .map((cells) => `  ${cells.join('  ').trimEnd()}`)
    .join('\n')
}
