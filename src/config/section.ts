import { oneLine } from '../model/shown.ts'
import type { Problem } from './decode.ts'
import type { Ini } from './ini.ts'

/** What was found beyond single keys. */
export interface Findings {
  problems: Problem[]
  warnings: Problem[]
}

/** A section of the file, to say something of it or of one of its keys with the line where that stands. */
export interface Section {
  /** As it stands in messages. */
  title: string
  wrong(key: string | undefined, what: string): void
  doubtful(key: string | undefined, what: string): void
}

/** The section of that name, of which there may be none in the file: then what is said has no line. */
export function sectionOf(ini: Ini, findings: Findings, section: string, name?: string): Section {
  const title = name === undefined ? section : `${section} ${name}`.trim()
  const [spelt = title, found] =
    [...ini.sections].find(([one]) => one.trim().replace(/\s+/g, ' ') === title) ?? []
  const problem = (key: string | undefined, what: string): Problem => {
    const line = (key === undefined ? undefined : found?.keys.get(key)?.line) ?? found?.line
    return { section: spelt, what, ...(key !== undefined && { key }), ...(line !== undefined && { line }) }
  }
  return {
    title: oneLine(spelt, 60),
    wrong: (key, what) => findings.problems.push(problem(key, what)),
    doubtful: (key, what) => findings.warnings.push(problem(key, what)),
  }
}
