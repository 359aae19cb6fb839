import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { cpus, release, tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'
import { Argument, Command } from 'commander'
import { execa } from 'execa'
import { onSignals } from '../../src/lab/signals.ts'
import type { Bench, Chapter } from './figure.ts'
import { keep, kept } from './keep.ts'
import { type Book, chapterText, misses } from './render.ts'
import { sections } from './sections.ts'

const root = join(import.meta.dirname, '../..')
const began = performance.now()
const say = (line: string): void => {
  process.stderr.write(`${((performance.now() - began) / 1000).toFixed(1).padStart(7)} s  ${line}\n`)
}

await new Command('bench')
  .description(
    'Measures vmbackup against what one would otherwise use, on this machine, and prints ratios. Nothing else should load the machine meanwhile.',
  )
  .addArgument(new Argument('[section...]', 'only these').choices(Object.keys(sections)))
  .option('--json <file>', 'write the results there, too')
  .option('--keep', 'write results and plots into test/bench')
  .option('--strict', 'exit with 1 when a goal is missed')
  .action(bench)
  .parseAsync()

async function bench(names: string[], options: { json?: string; keep?: true; strict?: true }): Promise<void> {
  const { json, strict = false } = options
  const interrupted = new AbortController()
  onSignals(['SIGINT', 'SIGTERM', 'SIGHUP'], (name) =>
    interrupted.abort(new Error(`ended by ${name}: nothing is written`)),
  )
  const book = await measureAll(names.length > 0 ? names : Object.keys(sections), interrupted.signal)
  if (book === undefined) {
    say(interrupted.signal.reason.message)
    process.exitCode = 130
    return
  }
  if (json !== undefined) await writeFile(json, `${JSON.stringify(book, null, 2)}\n`)
  if (options.keep) await keep(book)
  process.exitCode = conclude(book, strict)
}

/** Nothing when aborted, once what the section had started is gone. */
async function measureAll(names: readonly string[], signal: AbortSignal): Promise<Book | undefined> {
  const book: Book = {
    at: new Date().toISOString(),
    machine: machine(),
    commit: await commit(),
    chapters: [],
    failed: [],
  }
  process.stdout.write(`${book.machine}\n`)
  for (const name of names) {
    say(`${name}: begins`)
    try {
      const chapter = await measured(name, book, signal)
      book.chapters.push(chapter)
      process.stdout.write(`\n${chapterText(chapter)}\n\n`)
    } catch (error) {
      if (signal.aborted) return undefined
      const [why = ''] = String(error instanceof Error ? error.message : error).split('\n')
      book.failed.push({ name, why: why.replaceAll(root, '.') })
    }
  }
  return book
}

async function measured(name: string, { chapters, failed }: Book, signal: AbortSignal): Promise<Chapter> {
  const load = sections[name]
  if (load === undefined) throw new Error(`there is no section ${name}`)
  const { section } = await load()
  if (section.needsLab) await execa(join(root, 'scripts/install'), ['lab'], { stdio: ['ignore', 2, 2] })
  const dir = await mkdtemp(join(tmpdir(), 'vmbackup-bench-'))
  const at = performance.now()
  try {
    // What this run could not measure is not taken from an earlier one without a word.
    const last = (await kept()).filter((one) => failed.every(({ name: other }) => other !== one.name))
    const earlier = [...chapters, ...last]
    const bench: Bench = { dir, signal, earlier, say: (line) => say(`${name}: ${line}`) }
    const result = await section.measure(bench)
    return { name, title: section.title, seconds: Math.round((performance.now() - at) / 1000), ...result }
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
}

function conclude({ chapters, failed }: Book, strict: boolean): number {
  const missed = misses(chapters)
  for (const { name, why } of failed) process.stdout.write(`not measured: ${name}: ${why}\n`)
  for (const miss of missed) process.stdout.write(`missed: ${miss}\n`)
  const goals = chapters.flatMap(({ figures }) => figures).filter(({ goal }) => goal !== undefined).length
  process.stdout.write(
    `${goals - missed.length} of ${goals} goals reached in ${Math.round((performance.now() - began) / 1000)} s\n`,
  )
  return failed.length > 0 || (strict && missed.length > 0) ? 1 : 0
}

function machine(): string {
  const [first] = cpus()
  const gib = Math.round(totalmem() / 1024 ** 3)
  return `${cpus().length} cores ${first?.model.trim() ?? ''}, ${gib} GiB, Linux ${release().split('-')[0]}, Node ${process.version}`
}

async function commit(): Promise<string> {
  const { stdout, exitCode } = await execa('git', ['-C', root, 'rev-parse', '--short', 'HEAD'], {
    reject: false,
  })
  return exitCode === 0 ? stdout : 'unknown'
}
