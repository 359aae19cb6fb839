type Scalar = string | number | boolean | Date
export type Value = Scalar | Element | readonly (Element | string)[] | undefined

/**
 * One representation of an API object, rendered to XML or to JSON: numbers are integers, dates are `Date`, a list is an
 * object with one array (`{ disk: [...] }`), `href` holds the path below the API's root.
 */
export interface Element {
  [field: string]: Value
}

/** An answer's root: the tag is what XML calls it; JSON leaves it out. */
export interface Document {
  tag: string
  element: Element
  /** Set on a collection: the tag of its members, which are the element's only field. */
  each?: string
}

/** A reference: id and href. */
export function refTo(path: string, id: string): Element {
  return { href: `${path}/${id}`, id }
}

/** The sub-collections of an object as the API lists them. */
export function linksOf(href: string, names: readonly string[]): Element[] {
  return names.map((rel) => ({ href: `${href}/${rel}`, rel }))
}

/** The actions of an object as the API lists them. */
export function actionsOf(href: string, names: readonly string[]): Element {
  return { link: linksOf(href, names) }
}

export function isElement(value: Value): value is Element {
  return typeof value === 'object' && !(value instanceof Date) && !Array.isArray(value)
}
