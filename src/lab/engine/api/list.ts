import { type Searchable, searched } from '../search/match.ts'
import type { Element } from '../wire/element.ts'
import { Missing } from '../wire/fault.ts'
import { type Answer, type Call, collection, demandView, idIn, ok } from './call.ts'

/** A searched collection of all there are of a kind. */
export function list<T>(
  call: Call,
  [tag, each]: readonly [string, string],
  all: ReadonlyMap<string, T>,
  kind: Searchable<T>,
  show: (item: T) => Element,
): Answer {
  demandView(call)
  return collection(tag, each, searched([...all.values()], kind, call.query).map(show))
}

/** The one of a kind named by `{id}`; an empty 404 when it is not there. */
export function one<T>(
  call: Call,
  tag: string,
  all: ReadonlyMap<string, T>,
  show: (item: T) => Element,
): Answer {
  return found(all.get(idIn(call, 'id')), (item) => ok(tag, show(item)))
}

/** Answers with what was found; nothing is an empty 404. */
export function found<T>(item: T | undefined, answer: (item: T) => Answer): Answer {
  if (item === undefined) throw new Missing()
  return answer(item)
}
