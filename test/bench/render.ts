import { textTable } from '../../src/lab/demo/text-table.ts'
import { type Amount, type Chapter, type Figure, reaches, type Table } from './figure.ts'

/** A whole run of the bench, as JSON keeps it. */
export interface Book {
  at: string
  machine: string
  commit: string
  chapters: Chapter[]
  /** Sections that could not be measured, and why. */
  failed: { name: string; why: string }[]
}

const head = ['WHAT', 'OURS', 'AGAINST', 'RATIO', 'GOAL', '']

/** One section as tables for people. */
export function chapterText(chapter: Chapter): string {
  const { title, how } = chapter
  const tables = tablesOf(chapter).map((table) =>
    `${table.title}\n${textTable(table.head, table.rows)}`.trim(),
  )
  const notes = notesOf(chapter).map((note) => `- ${note}`)
  return [title, ...tables.map((table) => `  ${table}`), how, notes.join('\n')]
    .filter((part) => part !== '')
    .join('\n\n')
}

/** The same as markdown, its plots as pictures below `results/`. */
export function chapterMarkdown(chapter: Chapter): string {
  const { title, how, plots = [] } = chapter
  const tables = tablesOf(chapter).flatMap((table) => [table.title, markdownTable(table)])
  const notes = notesOf(chapter).map((note) => `- ${note}`)
  const pictures = plots.map((plot) => `![${plot.title}](results/${plot.name}.svg)`)
  return [`### ${title}`, how, ...tables, notes.join('\n'), ...pictures]
    .filter((part) => part !== '')
    .join('\n\n')
}

function tablesOf({ figures, tables = [] }: Chapter): Table[] {
  const compared = { title: '', head, rows: figures.map(cells) }
  return figures.length === 0 ? tables : [compared, ...tables]
}

function notesOf({ figures }: Chapter): string[] {
  return figures.flatMap(({ what, note }) => (note === undefined ? [] : `${what}: ${note}`))
}

function markdownTable(table: Table): string {
  const rows = [table.head, table.head.map(() => '---'), ...table.rows]
  return rows.map((row) => `| ${row.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`).join('\n')
}

/** The goals that were missed, in plain words; empty when there are none. */
export function misses(chapters: readonly Chapter[]): string[] {
  return chapters.flatMap(({ name, figures }) =>
    figures
      .filter((figure) => reaches(figure) === false)
      .map((figure) => `${name}: ${figure.what}: ${valueWords(figure)}, should ${goalWords(figure)}`),
  )
}

function cells(figure: Figure): string[] {
  const { what, ours, theirs } = figure
  const against = theirs === undefined ? '' : `${theirs.who}: ${amountWords(theirs)}`
  const met = reaches(figure)
  return [
    what,
    amountWords(ours),
    against,
    figure.ratio === undefined ? '' : ratioWords(figure.ratio),
    goalWords(figure),
    met === undefined ? '' : met ? 'yes' : 'MISSED',
  ]
}

function valueWords({ goal, ours, ratio }: Figure): string {
  return goal?.of === 'ratio' && ratio !== undefined ? ratioWords(ratio) : amountWords(ours)
}

function goalWords({ goal, ours }: Figure): string {
  if (goal === undefined) return ''
  const limit = goal.of === 'ours' ? amountWords({ ...ours, value: goal.limit }) : `${goal.limit}`
  return `${goal.must} ${limit}`
}

function ratioWords({ value, words }: Required<Figure>['ratio']): string {
  return `${short(value)} ${words}`
}

const units = ['bytes/s', 'KiB/s', 'MiB/s', 'GiB/s', 'TiB/s']

function amountWords({ value, unit }: Amount): string {
  if (unit !== 'bytes/s') return `${short(value)} ${unit}`
  const step = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log2(Math.max(1, value)) / 10)))
  return `${short(value / 1024 ** step)} ${units[step]}`
}

/** Three digits are as much as such a measurement is worth. */
function short(value: number): string {
  return Math.abs(value) >= 100
    ? Math.round(value).toLocaleString('en')
    : String(Number(value.toPrecision(3)))
}
