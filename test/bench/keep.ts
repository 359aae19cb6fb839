import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import type { Chapter } from './figure.ts'
import { svgOf } from './plot.ts'
import { type Book, chapterMarkdown, misses } from './render.ts'

const root = join(import.meta.dirname, '../..')
const readme = join(import.meta.dirname, 'README.md')
const results = join(import.meta.dirname, 'results')
const json = join(results, 'results.json')
const mark = '<!-- what follows is written by scripts/bench --keep -->'

/** The sections that were kept last; none where there are none. */
export async function kept(): Promise<Chapter[]> {
  const text = await readFile(json, 'utf8').catch(() => undefined)
  return text === undefined ? [] : (JSON.parse(text) as Book).chapters
}

/** Writes a run's results where the reader of the project finds them: README.md, the JSON and the plots beside it. */
export async function keep(book: Book): Promise<void> {
  await mkdir(results, { recursive: true })
  await writeFile(json, `${JSON.stringify(book, null, 2)}\n`)
  for (const plot of book.chapters.flatMap(({ plots = [] }) => plots)) {
    await writeFile(join(results, `${plot.name}.svg`), svgOf(plot))
  }
  const text = await readFile(readme, 'utf8')
  const [written] = text.split(mark)
  const missed = misses(book.chapters)
  const verdict =
    missed.length === 0
      ? 'All goals were reached.'
      : ['Missed:', '', ...missed.map((one) => `- ${one}`)].join('\n')
  const conditions = `Measured on ${book.at.slice(0, 10)} at commit ${book.commit}: ${book.machine}.`
  const parts = [
    written?.trimEnd(),
    mark,
    '## Results',
    conditions,
    verdict,
    ...(book.failed.length === 0
      ? []
      : [`Not measured in that run: ${book.failed.map(({ name }) => name).join(', ')}.`]),
    ...book.chapters.map(chapterMarkdown),
  ]
  await writeFile(readme, `${parts.join('\n\n')}\n`)
  const format = ['check', `--config-path=${join(root, 'scripts/lint.json')}`, '--write', readme]
  await execa(join(root, 'node_modules/.bin/biome'), format)
}
