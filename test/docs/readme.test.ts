import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { parseArgs } from '../../src/cli/args.ts'
import { configKeys } from '../../src/config/keys.ts'
import { exitCodeOf, type Outcome } from '../../src/run/report.ts'

const root = new URL('../..', import.meta.url).pathname
const documents = ['README.md', 'src/README.md', 'test/README.md', 'docker/README.md', 'CHANGELOG.md']
const readme = readFileSync(join(root, 'README.md'), 'utf8')

// A record, so that an outcome added to the report and forgotten here does not compile.
const outcomes = Object.keys({
  protected: true,
  'partly protected': true,
  failed: true,
  refused: true,
  locked: true,
  cancelled: true,
  'usage error': true,
} satisfies Record<Outcome, true>) as Outcome[]

/** The rows of the first table under a heading, each as its cells. */
function tableUnder(heading: string): string[][] {
  const section = readme.split(/^## /m).find((part) => part.startsWith(`${heading}\n`)) ?? ''
  const table = /(?:^\|.*\n)+/m.exec(section)?.[0] ?? ''
  const rows = table.trimEnd().split('\n')
  return rows.slice(2).map((row) =>
    row
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  )
}

function inBackticks(text: string): string {
  return /^`([^`]+)`$/.exec(text)?.[1] ?? `not in backticks: ${text}`
}

function helpText(): string {
  const asked = parseArgs(['--help'], '0.0.0')
  return asked.kind === 'say' ? asked.text : ''
}

test('the table of exit codes is the one that the program uses', () => {
  const told = tableUnder('Exit codes').map(([code, outcome = '']) => [inBackticks(outcome), Number(code)])
  const used = outcomes.map((outcome) => [outcome, exitCodeOf(outcome)])
  const byCode = (rows: (string | number)[][]) => rows.toSorted((a, b) => Number(a[1]) - Number(b[1]))
  expect(byCode(told)).toEqual(byCode(used))
})

test('the table of the configuration has every key, in order, with its default', () => {
  const told = tableUnder('Configuration').map(([name = '', value = '']) => [inBackticks(name), value])
  const known = configKeys.map(({ section, named, key, required, default: preset }) => [
    `[${section}${named ? ' NAME' : ''}] ${key}`,
    required ? 'required' : preset === undefined ? 'not set' : `\`${preset}\``,
  ])
  expect(told).toEqual(known)
})

test('the table of options has every option of --help, and no other', () => {
  const table = tableUnder('The first run').map(([option = '']) => option.match(/--[a-z-]+/g) ?? [])
  const told = table.flat()
  const known = [...helpText().matchAll(/^ {2}(?:-\w, )?(--[a-z-]+)/gm)].map(([, option]) => option)
  expect(told.toSorted()).toEqual(known.toSorted())
})

test('every command line of vmbackup in the documentation is one that the program takes', () => {
  const lines = documents
    .flatMap((name) => readFileSync(join(root, name), 'utf8').split('\n'))
    .flatMap((line) => /(?:^|[ =/])vmbackup ((?:[\w@.-]+ ){2}[\w.-]+(?: -.*)?)$/.exec(line)?.[1] ?? [])
    .filter((words) => words.includes('example.com'))
  expect(lines.length).toBeGreaterThan(3)
  for (const line of lines) expect(parseArgs(line.split(' '), '0.0.0'), line).toMatchObject({ kind: 'run' })
})

test('every word for an outcome and a consistency that the report has is explained', () => {
  for (const word of [...outcomes, 'crash', 'offline', 'frozen']) expect(readme).toContain(`\`${word}\``)
})

test.each(documents)('what %s links to and names is there', (name) => {
  const text = readFileSync(join(root, name), 'utf8')
  const links = [...text.matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(([, target = '']) =>
    join(dirname(name), target),
  )
  const named = [...text.matchAll(/`((?:src|scripts|test|docker)\/[\w./-]+)[^`<]*`/g)].map(
    ([, path = '']) => path,
  )
  expect([...links, ...named].filter((path) => !existsSync(join(root, path)))).toEqual([])
})
