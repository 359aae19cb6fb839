import assert from 'node:assert/strict'
import fc from 'fast-check'
import { chainOf, Failure, hintOf } from '../../src/model/errors.ts'

/** A reader of something from outside, with inputs to try on it. */
export interface Parser {
  name: string
  /** Tries that many inputs; ends at the first failure, made as small as it gets. */
  check(options: { inputs: number; seed: number; told?: () => void }): Promise<Checked>
}

export interface Checked {
  inputs: number
  refused: number
  accepted: number
  /** The smallest input that fails, and how. */
  failure?: { input: string; why: string; path: string }
}

type Kind = new (...args: never[]) => Failure

interface About<I, O> {
  input: fc.Arbitrary<I>
  read: (input: I) => O | Promise<O>
  /** What has to be true of every answer; throws. */
  holds?: (answer: O, input: I) => void
  /** What may be thrown; default Failure. `none`: everything has an answer. */
  refusal?: Kind | 'none'
  /** A refusal that lists several things has a line for each. */
  lines?: number
}

/** Of this process's own work: what else the machine does is no fault of a parser. */
const slowMs = 2_000
const neverMs = 10_000
const longestLine = 2_000

/** One entry of the table. */
export function parser<I, O>(name: string, about: About<I, O>): Parser {
  return {
    name,
    async check({ inputs, seed, told }) {
      const counts = { refused: 0, accepted: 0, failed: 0 }
      const property = fc.asyncProperty(about.input, async (input) => {
        told?.()
        const outcome = await tried(about, input).catch((error: unknown) => {
          counts.failed += 1
          throw error
        })
        // What is tried to make a failure smaller does not count.
        if (counts.failed === 0) counts[outcome] += 1
      })
      const run = await fc.check(property, { numRuns: inputs, seed })
      const failure = run.failed
        ? {
            input: fc.stringify(run.counterexample?.[0]),
            why: String(run.errorInstance),
            path: run.counterexamplePath ?? '',
          }
        : undefined
      const { refused, accepted } = counts
      return { inputs: run.numRuns, refused, accepted, ...(failure === undefined ? {} : { failure }) }
    },
  }
}

async function tried<I, O>(about: About<I, O>, input: I): Promise<'refused' | 'accepted'> {
  const before = process.cpuUsage()
  try {
    const read = about.read(input)
    const answer = read instanceof Promise ? await inTime(read) : read
    about.holds?.(answer, input)
    return 'accepted'
  } catch (error) {
    if (error instanceof assert.AssertionError) throw error
    checkRefusal(error, about.refusal ?? Failure, about.lines ?? 1)
    return 'refused'
  } finally {
    const { user, system } = process.cpuUsage(before)
    const tookMs = Math.round((user + system) / 1000)
    assert.ok(tookMs < slowMs, `it took ${tookMs} ms of work`)
    checkPrototypes()
  }
}

/** What never answers would hold the process for ever. */
async function inTime<O>(read: Promise<O>): Promise<O> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new assert.AssertionError({ message: 'it never answers' })), neverMs)
  })
  try {
    return await Promise.race([read, late])
  } finally {
    clearTimeout(timer)
  }
}

function checkRefusal(error: unknown, kind: Kind | 'none', mostLines: number): void {
  if (kind === 'none' || !(error instanceof kind)) {
    throw new assert.AssertionError({
      message: `it throws ${error instanceof Error ? error.stack : String(error)}`,
    })
  }
  const [message = '', ...causes] = chainOf(error)
  const lines = message.split('\n')
  assert.ok(lines.length <= mostLines, `its message has ${lines.length} lines: ${message.slice(0, 300)}`)
  for (const line of [...lines, ...causes, hintOf(error) ?? 'none']) checkLine(line)
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const unfit = /[\0-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]/

/** What a terminal or a log may be given: not empty, no control character, not endless. */
export function checkLine(line: string): void {
  assert.ok(line.trim() !== '', 'an empty text is told')
  assert.ok(line.length <= longestLine, `a text of ${line.length} characters is told: ${line.slice(0, 300)}`)
  assert.ok(!unfit.test(line), `a control character is told: ${JSON.stringify(line.slice(0, 300))}`)
}

const known = [Object.prototype, Array.prototype, Map.prototype, Function.prototype].map((prototype) => ({
  prototype,
  names: Reflect.ownKeys(prototype).length,
}))

function checkPrototypes(): void {
  for (const { prototype, names } of known)
    assert.equal(Reflect.ownKeys(prototype).length, names, "one of JavaScript's own prototypes was changed")
}

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

export function checkUuid(text: string): void {
  assert.ok(text.length === 36 && uuid.test(text), `${JSON.stringify(text)} is no UUID`)
}

/** A number of bytes, entries or the like. */
export function checkAmount(amount: number): void {
  assert.ok(Number.isSafeInteger(amount) && amount >= 0, `${amount} is no amount`)
}
