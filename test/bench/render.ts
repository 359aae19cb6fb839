import { textTable } from '../../src/lab/demo/text-table.ts'
import { type Amount, type Figure, type Measured, reaches } from './figure.ts'

/** What one section has measured, as it is kept. */
export interface Chapter extends Measured {
  name: string
  title: string
  seconds: number
}

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

/** One section as a table for people. */
export function chapterText({ title, figures, how }: Chapter): string {
  const notes = figures.flatMap(({ what, note }) => (note === undefined ? [] : `  ${what}: ${note}`))
  return [title, '', textTable(head, figures.map(cells)), '', how, ...notes].join('\n')
}

/** The same as markdown, its plots as pictures below `results/`. */
export function chapterMarkdown({ title, figures, how, plots = [] }: Chapter): string {
  const rows = [head, head.map(() => '---'), ...figures.map(cells)]
  const table = rows.map((row) => `| ${row.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`)
  const notes = figures.flatMap(({ what, note }) => (note === undefined ? [] : `- ${what}: ${note}`))
  const pictures = plots.map((plot) => `![${plot.title}](results/${plot.name}.svg)`)
  const parts = [`### ${title}`, how, table.join('\n'), notes.join('\n'), pictures.join('\n\n')]
  return parts.filter((part) => part !== '').join('\n\n')
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
