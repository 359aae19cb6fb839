import { oneLine } from '../model/shown.ts'

/** One `key = value`; `line` counts from 1 and is the line of the key. */
export interface Entry {
  value: string
  line: number
  /** True when text after a space and `;` was left out as a comment. */
  commented: boolean
}

interface Section {
  line: number
  keys: Map<string, Entry>
}

interface IniProblem {
  line: number
  what: string
}

export interface Ini {
  sections: Map<string, Section>
  problems: IniProblem[]
}

/**
 * Reads INI text as Python's ConfigParser did for the original tool, but forgives less: duplicates and lines it cannot
 * read are problems, each with its line. Never throws; a problem never holds a value, which may be a secret.
 */
export function parseIni(text: string): Ini {
  const reader = new Reader()
  const lines = text.replace(/^\uFEFF/, '').split(/\r\n|\n/)
  for (const [index, line] of lines.entries()) reader.take(line, index + 1)
  return { sections: reader.sections, problems: reader.problems }
}

class Reader {
  readonly sections = new Map<string, Section>()
  readonly problems: IniProblem[] = []
  #section: Section | undefined
  #entry: Entry | undefined

  take(line: string, number: number): void {
    if (/^\s*([#;]|$)/.test(line)) return
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
    if (/[\u0000-\u0008\u000b-\u001f\u007f]/.test(line)) {
      this.#wrong(number, 'holds a control character; allowed: plain text, one key on a line')
    } else if (/^\s/.test(line) && this.#entry !== undefined) {
      const { value } = this.#entry
      this.#entry.value = value === '' ? line.trim() : `${value}\n${line.trim()}`
    } else if (line.trimStart().startsWith('[')) {
      this.#open(line.trim(), number)
    } else {
      this.#set(line, number)
    }
  }

  #open(line: string, number: number): void {
    this.#entry = undefined
    // Where the section is unknown, its keys are not read as the previous one's.
    this.#section = { line: number, keys: new Map() }
    const name = /^\[([^\]]+)\]\s*([#;].*)?$/.exec(line)?.[1]
    if (name === undefined) {
      this.#wrong(number, 'is not a section; allowed: [name] alone on its line')
      return
    }
    const first = this.sections.get(name)
    if (first !== undefined) {
      this.#wrong(
        number,
        `section [${oneLine(name, 60)}] is there twice, first at line ${first.line}; put its keys together`,
      )
      return
    }
    this.sections.set(name, this.#section)
  }

  #set(line: string, number: number): void {
    this.#entry = undefined
    const delimiter = line.search(/[:=]/)
    const name = line.slice(0, Math.max(0, delimiter)).trim()
    if (name === '') {
      this.#wrong(
        number,
        'is not a key with a value; allowed: key = value, [section], or a comment after # or ;',
      )
    } else if (this.#section === undefined) {
      this.#wrong(number, 'stands before any section; allowed: a line such as [connection] above it')
    } else {
      this.#add(this.#section, name.toLowerCase(), {
        ...withoutComment(line.slice(delimiter + 1).trim()),
        line: number,
      })
    }
  }

  #add(section: Section, name: string, entry: Entry): void {
    const first = section.keys.get(name)
    // Kept as the target of continuation lines, although it is dropped.
    this.#entry = entry
    if (first === undefined) section.keys.set(name, entry)
    else this.#wrong(entry.line, `the key is there twice, first at line ${first.line}; keep one of them`)
  }

  #wrong(line: number, what: string): void {
    this.problems.push({ line, what })
  }
}

// As ConfigParser of Python 2, under which the original tool ran: a first ; after a space starts a comment, and "" is
// an empty value.
function withoutComment(text: string): { value: string; commented: boolean } {
  const semicolon = text.indexOf(';')
  const commented = semicolon > 0 && /\s/.test(text.charAt(semicolon - 1))
  const value = commented ? text.slice(0, semicolon).trim() : text
  return { value: value === '""' ? '' : value, commented }
}
