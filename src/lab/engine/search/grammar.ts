import { ApiFault } from '../wire/fault.ts'

export type Relation = '=' | '!=' | '<' | '>' | '<=' | '>='

export type Condition =
  | { kind: 'and' | 'or'; left: Condition; right: Condition }
  | { kind: 'compare'; field: string; relation: Relation; value: string }
  | { kind: 'text'; value: string }

export interface Search {
  where: Condition | undefined
  sortBy: { field: string; descending: boolean } | undefined
  page: number | undefined
}

type Token = { text: string; quoted: boolean }

const relations = new Set(['=', '!=', '<', '>', '<=', '>='])

/** Reads a query of the engine's search language; what cannot be read is 400. */
export function parseSearch(query: string): Search {
  const reader = new Reader(tokens(query))
  const where = reader.atEnd() || reader.isWord('sortby', 'page') ? undefined : reader.or()
  const sortBy = reader.sortBy()
  const page = reader.page()
  if (!reader.atEnd()) throw syntaxError(`unexpected ${reader.next()}`)
  return { where, sortBy, page }
}

function tokens(query: string): Token[] {
  // The object's name may come first: `Vms: name=x`.
  const text = query.replace(/^\s*[a-z]+\s*:/i, '')
  const found = text.matchAll(/"([^"]*)"|(!=|<=|>=|[=<>()])|([^\s=<>!()"]+)/g)
  return [...found].map(([whole, quoted]) => ({ text: quoted ?? whole, quoted: quoted !== undefined }))
}

class Reader {
  readonly #tokens: readonly Token[]
  #at = 0

  constructor(list: readonly Token[]) {
    this.#tokens = list
  }

  atEnd(): boolean {
    return this.#at >= this.#tokens.length
  }

  isWord(...words: string[]): boolean {
    const token = this.#tokens[this.#at]
    return token !== undefined && !token.quoted && words.includes(token.text.toLowerCase())
  }

  next(): string {
    const token = this.#tokens[this.#at++]
    if (token === undefined) throw syntaxError('unexpected end')
    return token.text
  }

  or(): Condition {
    let left = this.and()
    while (this.#take('or')) left = { kind: 'or', left, right: this.and() }
    return left
  }

  and(): Condition {
    let left = this.term()
    while (this.#take('and') || this.#startsTerm()) left = { kind: 'and', left, right: this.term() }
    return left
  }

  term(): Condition {
    if (this.#take('(')) {
      const inner = this.or()
      if (!this.#take(')')) throw syntaxError('missing )')
      return inner
    }
    const word = this.next()
    const relation = this.#tokens[this.#at]
    if (relation === undefined || relation.quoted || !relations.has(relation.text))
      return { kind: 'text', value: word }
    this.#at++
    return {
      kind: 'compare',
      field: word.toLowerCase(),
      relation: relation.text as Relation,
      value: this.next(),
    }
  }

  sortBy(): Search['sortBy'] {
    if (!this.#take('sortby')) return undefined
    const field = this.next().toLowerCase()
    const descending = this.#take('desc')
    if (!descending) this.#take('asc')
    return { field, descending }
  }

  page(): number | undefined {
    if (!this.#take('page')) return undefined
    const page = Number(this.next())
    if (!Number.isInteger(page) || page < 1) throw syntaxError('page takes a number from 1')
    return page
  }

  #take(word: string): boolean {
    if (!this.isWord(word)) return false
    this.#at++
    return true
  }

  #startsTerm(): boolean {
    return !this.atEnd() && !this.isWord('or', ')', 'sortby', 'page')
  }
}

function syntaxError(what: string): ApiFault {
  return new ApiFault(400, 'Operation Failed', `[Invalid search expression: ${what}]`)
}
