import { resolve } from 'node:path'
import { sectionName } from './agent-kinds.ts'
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

type Values = Record<string, unknown>

export interface Decoded {
  /** By section and field; a field that is wrong is missing. */
  values: Record<string, Values>
  /** Of sections with names of their own: by section, in the order of the file. */
  named: Record<string, (Values & { name: string })[]>
  problems: Problem[]
  warnings: Problem[]
}

type Given = Partial<Entry> & { value: string; from?: string }

/** Checks every key of a file and of the overrides; never throws. `dir` is where relative paths count from. */
export function decode(ini: Ini, overrides: readonly Override[], dir: string): Decoded {
  const found = namedIn(ini)
  const problems = [...ini.problems, ...unknownNames(ini, found), ...found.flatMap(misnamed)]
  const decoded: Decoded = { values: {}, named: {}, problems, warnings: [] }
  for (const row of configKeys.filter(({ named }) => !named)) {
    decoded.values[row.section] ??= {}
    const override = overrides.find(({ section, key }) => section === row.section && key === row.key)
    const given = override ?? ini.sections.get(row.section)?.keys.get(row.key)
    decodeKey({ ...row, as: row.section, into: decoded.values[row.section] ?? {} }, given, dir, decoded)
  }
  for (const { title, section, name } of found) {
    const into = { name }
    decoded.named[section] = [...(decoded.named[section] ?? []), into]
    for (const row of configKeys.filter((one) => one.named && one.section === section))
      decodeKey({ ...row, as: title, into }, ini.sections.get(title)?.keys.get(row.key), dir, decoded)
  }
  return decoded
}

/** A section of the file with a name of its own. */
interface NamedSection {
  title: string
  section: string
  name: string
  line: number
}

function namedIn(ini: Ini): NamedSection[] {
  return [...ini.sections].flatMap(([title, { line }]) => {
    const [, section = '', name = ''] = /^(\S+)(?:\s+(.*?))?\s*$/.exec(title) ?? []
    return configKeys.some((row) => row.named && row.section === section)
      ? [{ title, section, name, line }]
      : []
  })
}

function misnamed(
  { title, section, name, line }: NamedSection,
  index: number,
  all: NamedSection[],
): Problem[] {
  if (name === '') return [{ line, section: title, what: `needs a name: [${section} NAME]` }]
  if (!sectionName.test(name)) {
    return [
      {
        line,
        section: title,
        what: 'has a name that cannot be used; allowed: up to 40 letters, digits, _ . and -, the first no sign',
      },
    ]
  }
  const first = all.find((one) => one.section === section && one.name === name)
  return first === all[index]
    ? []
    : [{ line, section: title, what: `is there twice, first at line ${first?.line}` }]
}

/** A key of one section of the file: under which title, and where its value goes. */
type Row = DocumentedKey & { as: string; into: Values }

function decodeKey(row: Row, given: Given | undefined, dir: string, decoded: Decoded): void {
  const text = given?.value || row.default
  const problem = (what: string) => {
    const { line, from } = given ?? {}
    decoded.problems.push({
      section: row.as,
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
  row.into[row.field] = row.kind === path ? resolve(dir, String(data)) : data
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
  if (more.length > 0 && !isWords(kind) && kind.lines !== true) {
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

function worthKnowing({ as: section, key, kind }: Row, given: Given): Problem[] {
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

function unknownNames(ini: Ini, named: readonly NamedSection[]): Problem[] {
  const sections = [...new Set(configKeys.filter((row) => !row.named).map(({ section }) => section))]
  const spelt = new Map([
    ...sections.map((section) => [section, `[${section}]`] as const),
    ...configKeys.filter((row) => row.named).map(({ section }) => [section, `[${section} NAME]`] as const),
  ])
  return [...ini.sections].flatMap(([title, { line, keys }]) => {
    const section = named.find((one) => one.title === title)?.section ?? title
    if (spelt.has(section))
      return [...keys].flatMap(([key, { line: at }]) => unknownKey(section, title, key, at))
    const what = suggestion(title, [...spelt.keys()], (name) => spelt.get(name) ?? name)
    return [{ line, section: title, what: `is not a known section; ${what}` }]
  })
}

function unknownKey(section: string, title: string, key: string, line: number): Problem[] {
  const here = configKeys.filter((row) => row.section === section).map((row) => row.key)
  if (here.includes(key)) return []
  const home = configKeys.find((row) => row.key === key)
  const what =
    home === undefined
      ? suggestion(key, here, (name) => name)
      : `it belongs into [${home.section}${home.named ? ' NAME' : ''}]`
  return [{ line, section: title, ...namedKey(key), what: `is not a known key; ${what}` }]
}

// A name that cannot be a key may be a part of a secret that got onto a line of its own.
function namedKey(key: string): { key?: string } {
  return /^[a-z][a-z0-9_-]{0,39}$/.test(key) ? { key } : {}
}

function suggestion(word: string, known: string[], spell: (name: string) => string): string {
  const near = nearest(word, known)
  return near === undefined ? `known here: ${known.map(spell).join(', ')}` : `did you mean ${spell(near)}?`
}
