import { resolve } from 'node:path'
import type { Entry, Ini } from './ini.ts'
import { configKeys, type DocumentedKey } from './keys.ts'
import type { Kind } from './kind.ts'
import { ignored, path, secret } from './kinds.ts'
import { nearest } from './suggest.ts'
import { secretWords, words } from './words.ts'

/** A value from elsewhere, e.g. the command line, in the spelling of the file; `from` is what messages call it. */
export interface Override {
  section: string
  key: string
  value: string
  from: string
}

/** Something wrong with the file, or with an override: then `from` is set. */
export interface Problem {
  line?: number
  from?: string
  section?: string
  key?: string
  what: string
}

export interface Decoded {
  /** By section and field; a field that is wrong is missing. */
  values: Record<string, Record<string, unknown>>
  problems: Problem[]
  warnings: Problem[]
}

type Given = Partial<Entry> & { value: string; from?: string }

/** Checks every key of a file and of the overrides; never throws. `dir` is where relative paths count from. */
export function decode(ini: Ini, overrides: readonly Override[], dir: string): Decoded {
  const decoded: Decoded = { values: {}, problems: [...ini.problems, ...unknownNames(ini)], warnings: [] }
  for (const row of configKeys) {
    decoded.values[row.section] ??= {}
    const override = overrides.find(({ section, key }) => section === row.section && key === row.key)
    const given = override ?? ini.sections.get(row.section)?.keys.get(row.key)
    decodeKey(row, given, dir, decoded)
  }
  return decoded
}

function decodeKey(row: DocumentedKey, given: Given | undefined, dir: string, decoded: Decoded): void {
  const text = given?.value || row.default
  const problem = (what: string) => {
    const { line, from } = given ?? {}
    decoded.problems.push({
      section: row.section,
      key: row.key,
      what,
      ...(line && { line }),
      ...(from && { from }),
    })
  }
  if (text === undefined) {
    if (row.required) problem(`is missing; allowed: ${row.kind.allowed}`)
    return
  }
  const misread = given && misreading(row, given)
  if (misread !== undefined) {
    problem(misread)
    return
  }
  const { data, error } = row.kind.schema.safeDecode(text)
  if (error) {
    problem(`${error.issues.map(({ message }) => message).join(', ')}; allowed: ${row.kind.allowed}`)
    return
  }
  const fields = decoded.values[row.section] ?? {}
  fields[row.field] = row.kind === path ? resolve(dir, String(data)) : data
  if (given) decoded.warnings.push(...worthKnowing(row, given))
}

/** What the reader of INI took otherwise than the writer surely meant. Never shows a value: it may hold a secret. */
function misreading({ kind }: DocumentedKey, { value, line = 0 }: Given): string | undefined {
  const [, ...more] = value.split('\n')
  const swallowed = more.map((text) => /^(\w+)\s*[:=]|^\[(\w+)\]/.exec(text)?.slice(1) ?? [])
  const found = configKeys.find((row) =>
    swallowed.some(([key, section]) => row.key === key?.toLowerCase() || row.section === section),
  )
  if (found !== undefined) {
    return 'is followed by an indented line that looks like a key or section of its own but was read as part of this value; remove the spaces before it'
  }
  if (more.length > 0 && !isWords(kind)) {
    return `goes on after line ${line}, because what follows is indented; allowed: one line`
  }
  if (/^(["']).*\1$/s.test(value) && !isWords(kind) && kind !== secret) {
    return 'is in quotes, which would be part of the value; write it without them'
  }
  return undefined
}

function isWords(kind: Kind<unknown>): boolean {
  return kind === words || kind === secretWords
}

function worthKnowing({ section, key, kind }: DocumentedKey, given: Given): Problem[] {
  const { value, line, commented } = given
  const place = { section, key, ...(line && { line }) }
  if (kind === ignored) return [{ ...place, what: 'has no effect; what it was for is set by file and level' }]
  if (kind !== secret) return []
  const warnings: Problem[] = []
  if (/^(["']).*\1$/.test(value))
    warnings.push({ ...place, what: 'is in quotes, which are taken as part of it' })
  if (commented) {
    const what = 'what follows " ;" was taken as a comment; use password_file if it belongs to the password'
    warnings.push({ ...place, what })
  }
  return warnings
}

function unknownNames(ini: Ini): Problem[] {
  const sections = [...new Set(configKeys.map(({ section }) => section))]
  return [...ini.sections].flatMap(([section, { line, keys }]) =>
    sections.includes(section)
      ? [...keys].flatMap(([key, entry]) => unknownKey(section, key, entry.line))
      : [
          {
            line,
            section,
            what: `is not a known section; ${suggestion(section, sections, (name) => `[${name}]`)}`,
          },
        ],
  )
}

function unknownKey(section: string, key: string, line: number): Problem[] {
  const here = configKeys.filter((row) => row.section === section).map((row) => row.key)
  if (here.includes(key)) return []
  const home = configKeys.find((row) => row.key === key)
  const what =
    home === undefined ? suggestion(key, here, (name) => name) : `it belongs into [${home.section}]`
  return [{ line, section, ...namedKey(key), what: `is not a known key; ${what}` }]
}

// A name that cannot be a key may be a part of a secret that got onto a line of its own.
function namedKey(key: string): { key?: string } {
  return /^[a-z][a-z0-9_-]{0,39}$/.test(key) ? { key } : {}
}

function suggestion(word: string, known: string[], spell: (name: string) => string): string {
  const near = nearest(word, known)
  return near === undefined ? `known here: ${known.map(spell).join(', ')}` : `did you mean ${spell(near)}?`
}
