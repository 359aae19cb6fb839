import { type Kind, kind, Wrong } from './kind.ts'

/** A program and its arguments, split at white space outside quotes. No shell: nothing is filled in, \ is a letter. */
export const words: Kind<string[]> = kind(
  'a program and its arguments; quotes keep words together',
  (text) => {
    const found = split(text.replaceAll('\n', ' '))
    if (found === undefined) return new Wrong('has a quote that is not closed')
    const [program] = found
    if (program === undefined || program === '') return new Wrong('names no program')
    if (found.length === 1 && /\s/.test(program)) {
      return new Wrong('is a single word because of the quotes around it; leave them out')
    }
    return found
  },
  (argv) => argv.map(quoted).join(' '),
)

/** Words whose arguments may hold a secret, so that they are not shown. */
export const secretWords: Kind<string[]> = { ...words }

function split(text: string): string[] | undefined {
  const found: string[] = []
  let word: string | undefined
  let rest = text
  while (rest !== '') {
    const [piece, inDouble, inSingle, plain] = /^\s+|^"([^"]*)"|^'([^']*)'|^([^\s"']+)/.exec(rest) ?? []
    if (piece === undefined) return undefined
    rest = rest.slice(piece.length)
    const part = inDouble ?? inSingle ?? plain
    if (part !== undefined) word = (word ?? '') + part
    else if (word !== undefined) {
      found.push(word)
      word = undefined
    }
  }
  return word === undefined ? found : [...found, word]
}

function quoted(word: string): string {
  if (/^[\w@%+:,./=-]+$/.test(word)) return word
  return word
    .split(/('+)/)
    .filter((part, index) => part !== '' || index === 0)
    .map((part) => (part.startsWith("'") ? `"${part}"` : `'${part}'`))
    .join('')
}
