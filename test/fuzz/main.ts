import { parseArgs } from 'node:util'
import type { Checked, Parser } from './parser.ts'
import { parsers } from './parsers.ts'

const usage = `usage: scripts/fuzz [INPUTS PER PARSER] [--only NAME] [--seed N]

Tries every parser on inputs from outside as they should not be, and shows what became of them: refused with a
clear error, accepted with an answer that holds what is promised of it, or failed. Default: 20000 inputs each.

  --only NAME   the parsers with NAME in theirs
  --seed N      the same inputs again
  --help        this text

Exit codes: 0 no failure, 1 at least one, 2 usage
`

const { inputs, only, seed } = optionsOf(process.argv.slice(2))
const chosen = parsers.filter(({ name }) => name.includes(only))
if (chosen.length === 0)
  refuse(`no parser has ${JSON.stringify(only)} in its name; there are: ${namesOf(parsers)}`)

process.stdout.write(`seed ${seed}, ${inputs} inputs per parser\n\n`)
row('parser', 'inputs', 'refused', 'accepted', 'failures', 'seconds')
const failed: { name: string; checked: Checked }[] = []
let total = 0
for (const one of chosen) {
  const began = performance.now()
  const checked = await one.check({ inputs, seed, told: progressOf(one.name) })
  total += checked.inputs
  if (checked.failure !== undefined) failed.push({ name: one.name, checked })
  const seconds = ((performance.now() - began) / 1000).toFixed(1)
  const counts = [checked.inputs, checked.refused, checked.accepted, checked.failure === undefined ? 0 : 1]
  row(one.name, ...counts.map(String), seconds)
}
process.stdout.write(`\n${chosen.length} parsers, ${total} inputs, ${failed.length} failures\n`)
for (const { name, checked } of failed) {
  const { input = '', why = '', path = '' } = checked.failure ?? {}
  process.stdout.write(`\n${name} fails: ${why}\n  input: ${input.slice(0, 2000)}\n  after: ${path}\n`)
  process.stdout.write(`  again: scripts/fuzz ${inputs} --seed ${seed} --only ${JSON.stringify(name)}\n`)
}
process.exitCode = failed.length === 0 ? 0 : 1

function row(name: string, ...cells: string[]): void {
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K')
  process.stdout.write(`${name.padEnd(34)}${cells.map((cell) => cell.padStart(10)).join('')}\n`)
}

/** On a terminal, how far it is, several times a second. */
function progressOf(name: string): () => void {
  let done = 0
  let shown = 0
  return () => {
    done += 1
    const now = performance.now()
    if (!process.stderr.isTTY || now - shown < 200) return
    shown = now
    process.stderr.write(`\r\x1b[K${name}: ${done}`)
  }
}

function optionsOf(argv: string[]): { inputs: number; only: string; seed: number } {
  const options = {
    only: { type: 'string' },
    seed: { type: 'string' },
    help: { type: 'boolean', short: 'h' },
  } as const
  try {
    const { values, positionals } = parseArgs({ args: argv, options, allowPositionals: true })
    if (values.help) {
      process.stdout.write(usage)
      process.exit(0)
    }
    if (positionals.length > 1) refuse(`one number is enough: ${positionals.join(' ')}`)
    return {
      inputs: wholeOf(positionals[0] ?? '20000'),
      only: values.only ?? '',
      seed: values.seed === undefined ? Date.now() % 2 ** 31 : wholeOf(values.seed),
    }
  } catch (error) {
    return refuse(error instanceof Error ? error.message : String(error))
  }
}

function wholeOf(text: string): number {
  return /^\d{1,9}$/.test(text) && Number(text) > 0
    ? Number(text)
    : refuse(`${JSON.stringify(text)} is no number above 0`)
}

function namesOf(some: readonly Parser[]): string {
  return some.map(({ name }) => name).join(', ')
}

function refuse(why: string): never {
  process.stderr.write(`fuzz: ${why}\n\n${usage}`)
  process.exit(2)
}
