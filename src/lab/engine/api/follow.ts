import { type Document, type Element, isElement, type Value } from '../wire/element.ts'
import { ApiFault } from '../wire/fault.ts'

type Tree = Map<string, Tree>

/** Fetches what an href stands for; undefined when it is gone. */
export type Fetch = (href: string) => Promise<Document | undefined>

/** References that an object may lack without the request being wrong. */
const optional = new Set(
  'host parent snapshot storage_domain disks vm vms user cluster data_center template owner parent_step quota'.split(
    ' ',
  ),
)

/** Puts the objects behind the links named by `follow` in place of the links; `a.b,c` follows b of a, and c. */
export async function followLinks(document: Document, follow: string, fetch: Fetch): Promise<void> {
  const tree = parse(follow)
  const items = document.each === undefined ? [document.element] : members(document.element[document.each])
  for (const item of items) await followIn(item, tree, fetch)
}

function parse(follow: string): Tree {
  const root: Tree = new Map()
  for (const path of follow.split(',')) {
    let tree = root
    for (const name of path.split('.').map((part) => part.trim())) {
      if (name === '') continue
      const next: Tree = tree.get(name) ?? new Map()
      tree.set(name, next)
      tree = next
    }
  }
  return root
}

async function followIn(element: Element, tree: Tree, fetch: Fetch): Promise<void> {
  for (const [name, below] of tree) {
    const href = linkTo(element, name)
    const value = element[name]
    if (href !== undefined) {
      const found = await fetched(href, below, fetch)
      if (found) element[found.tag] = found.element
    } else if (isElement(value)) {
      element[name] = await replaced(value, below, fetch)
    } else if (!optional.has(name)) {
      throw new ApiFault(500, 'Operation Failed', `Problem following '${name}' link.`)
    }
  }
}

/** The link of a sub-collection: `disk_attachments` is linked as `diskattachments`. */
function linkTo(element: Element, name: string): string | undefined {
  const rel = name.replaceAll('_', '')
  const href = members(element['link']).find((link) => link['rel'] === rel)?.['href']
  return typeof href === 'string' ? href : undefined
}

async function replaced(value: Element, below: Tree, fetch: Fetch): Promise<Element> {
  if (typeof value['href'] === 'string') {
    const found = await fetched(value['href'], below, fetch)
    return found?.element ?? value
  }
  const [each, list] = Object.entries(value)[0] ?? []
  if (each === undefined || !Array.isArray(list)) return value
  return { [each]: await Promise.all(members(list).map((item) => replaced(item, below, fetch))) }
}

async function fetched(href: string, below: Tree, fetch: Fetch): Promise<Document | undefined> {
  const found = await fetch(href)
  if (found === undefined) return undefined
  const items = found.each === undefined ? [found.element] : members(found.element[found.each])
  for (const item of items) await followIn(item, below, fetch)
  return found
}

function members(value: Value): Element[] {
  return Array.isArray(value) ? value.filter((item): item is Element => typeof item === 'object') : []
}
