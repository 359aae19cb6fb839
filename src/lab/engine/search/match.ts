import { ApiFault } from '../wire/fault.ts'
import { type Condition, parseSearch, type Relation } from './grammar.ts'

type Field = string | number | boolean | Date | undefined | readonly string[]

/** How the fields of a kind of object are read; text without a field is looked for in all `text` fields. */
export interface Searchable<T> {
  fields: Readonly<Record<string, (item: T) => Field>>
  text: readonly string[]
  /** Fields whose case always counts. */
  exact?: readonly string[]
}

/** The engine's page length when none is asked for (SearchResultsLimit). */
const pageLength = 100

/** Searches, sorts and cuts a list as `search`, `case_sensitive` and `max` say; without `max` all are given. */
export function searched<T>(items: readonly T[], kind: Searchable<T>, query: URLSearchParams): T[] {
  const { where, sortBy, page } = parseSearch(query.get('search') ?? '')
  const exactCase = query.get('case_sensitive')?.toLowerCase() === 'true'
  const fits = where && matcher(where, kind, exactCase)
  const found = fits ? items.filter(fits) : [...items]
  const sorted = sortBy === undefined ? found : sort(found, reader(kind, sortBy.field), sortBy.descending)
  const max = maxOf(query)
  const length = max ?? (page === undefined ? undefined : pageLength)
  if (length === undefined) return sorted
  const start = ((page ?? 1) - 1) * length
  return sorted.slice(start, start + length)
}

/** The `max` parameter; undefined when absent or not a positive number. */
export function maxOf(query: URLSearchParams): number | undefined {
  const max = Number(query.get('max') ?? Number.NaN)
  return Number.isInteger(max) && max >= 0 ? max : undefined
}

function matcher<T>(condition: Condition, kind: Searchable<T>, exactCase: boolean): (item: T) => boolean {
  switch (condition.kind) {
    case 'and':
    case 'or': {
      const chosen = choiceIn(condition)
      if (chosen !== undefined && !exactCase && !kind.exact?.includes(chosen.field))
        return amongThem(reader(kind, chosen.field), chosen.ids)
      const left = matcher(condition.left, kind, exactCase)
      const right = matcher(condition.right, kind, exactCase)
      return condition.kind === 'and'
        ? (item) => left(item) && right(item)
        : (item) => left(item) || right(item)
    }
    case 'text': {
      const pattern = wildcard(`*${condition.value}*`, exactCase)
      const readers = kind.text.map((name) => reader(kind, name))
      return (item) => readers.some((read) => values(read(item)).some((value) => pattern.test(value)))
    }
    case 'compare': {
      const read = reader(kind, condition.field)
      const exact = exactCase || kind.exact?.includes(condition.field) === true
      return compare(read, condition.relation, condition.value, exact)
    }
  }
}

/** A condition such as `id=a or id=b`, whose values are hexadecimal: of these no other letter is the same without case. */
function choiceIn(condition: Condition): { field: string; ids: Set<string> } | undefined {
  if (condition.kind === 'compare') {
    const { field, relation, value } = condition
    return relation === '=' && /^[\da-f-]+$/i.test(value)
      ? { field, ids: new Set([value.toLowerCase()]) }
      : undefined
  }
  if (condition.kind !== 'or') return undefined
  const left = choiceIn(condition.left)
  const right = left && choiceIn(condition.right)
  if (left === undefined || right === undefined || left.field !== right.field) return undefined
  for (const id of right.ids) left.ids.add(id)
  return left
}

/** As quick for a hundred ids as for one: the engine's database has an index. */
function amongThem<T>(read: (item: T) => Field, ids: ReadonlySet<string>): (item: T) => boolean {
  return (item) => values(read(item)).some((value) => ids.has(value.toLowerCase()))
}

function reader<T>(kind: Searchable<T>, name: string): (item: T) => Field {
  const read = kind.fields[name]
  if (read === undefined)
    throw new ApiFault(400, 'Operation Failed', `[Invalid search expression: no field ${name}]`)
  return read
}

function compare<T>(
  read: (item: T) => Field,
  relation: Relation,
  wanted: string,
  exactCase: boolean,
): (item: T) => boolean {
  if (relation === '=' || relation === '!=') {
    const pattern = wildcard(wanted, exactCase)
    const equal = (item: T) => values(read(item)).some((value) => pattern.test(value))
    return relation === '=' ? equal : (item) => !equal(item)
  }
  return (item) => {
    const order = ordered(read(item), wanted)
    if (relation === '<') return order < 0
    if (relation === '>') return order > 0
    return relation === '<=' ? order <= 0 : order >= 0
  }
}

function values(field: Field): string[] {
  if (field === undefined) return []
  if (field instanceof Date) return [field.toISOString()]
  return typeof field === 'object' ? [...field] : [String(field)]
}

function wildcard(text: string, exactCase: boolean): RegExp {
  const escaped = text.replace(/[.+?^${}()|[\]\\]/g, String.raw`\$&`).replaceAll('*', '.*')
  return new RegExp(`^${escaped}$`, exactCase ? 's' : 'is')
}

function ordered(field: Field, wanted: string): number {
  if (typeof field === 'number') return field - Number(wanted)
  if (field instanceof Date) return field.getTime() - new Date(wanted).getTime()
  return (values(field)[0] ?? '').localeCompare(wanted)
}

function sort<T>(items: T[], read: (item: T) => Field, descending: boolean): T[] {
  const direction = descending ? -1 : 1
  return items.sort((a, b) => direction * byValue(read(a), read(b)))
}

function byValue(a: Field, b: Field): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b
  const [left = '', right = ''] = [values(a)[0], values(b)[0]]
  if (left === right) return 0
  return left < right ? -1 : 1
}
