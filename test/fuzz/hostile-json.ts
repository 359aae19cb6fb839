import fc from 'fast-check'
import { anyText, nasty } from './hostile.ts'

/** A key that nobody asked for may come with any name, those of JavaScript's own among them. */
const anyKey = fc.oneof(fc.constantFrom(...nasty), fc.string({ maxLength: 10 }))

const deep = fc
  .tuple(fc.constantFrom('[', '{"a":'), fc.integer({ min: 100, max: 5000 }))
  .map(([open, depth]) => `${open.repeat(depth)}0${(open === '[' ? ']' : '}').repeat(depth)}`)

/** The text of any JSON value. */
const anyJson: fc.Arbitrary<string> = fc.oneof(
  { weight: 4, arbitrary: anyText.map((text) => JSON.stringify(text)) },
  {
    weight: 4,
    arbitrary: fc.constantFrom('null', 'true', 'false', '[]', '{}', '[null]', '[{}]', '{"id":{}}', '""', '0'),
  },
  { weight: 3, arbitrary: fc.constantFrom('-1', '1.5', '1e999', '9007199254740993', '-0', '1e-7', '1e21') },
  { weight: 2, arbitrary: fc.json({ maxDepth: 3 }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom('{"__proto__":{"evil":true}}', '{"constructor":{"prototype":{"evil":true}}}'),
  },
  { weight: 1, arbitrary: deep },
)

type Change =
  | { act: 'replace'; where: number; json: string }
  | { act: 'drop'; where: number }
  | { act: 'double'; where: number; times: number }
  | { act: 'add'; where: number; key: string; json: string }

const where = fc.nat({ max: 0xffff })

const change: fc.Arbitrary<Change> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ act: fc.constant('replace'), where, json: anyJson }) },
  { weight: 2, arbitrary: fc.record({ act: fc.constant('drop'), where }) },
  {
    weight: 1,
    arbitrary: fc.record({ act: fc.constant('double'), where, times: fc.integer({ min: 1, max: 30 }) }),
  },
  { weight: 1, arbitrary: fc.record({ act: fc.constant('add'), where, key: anyKey, json: anyJson }) },
)

/** JSON of the sample's shape with some values replaced, lost, doubled or added anywhere within it; or any other JSON. */
export function likeJson(...samples: readonly unknown[]): fc.Arbitrary<string> {
  const changed = fc
    .tuple(fc.constantFrom(...samples), fc.array(change, { maxLength: 4 }))
    .map(([sample, changes]) => textOf(changes.reduce<Tree>((tree, one) => apply(tree, one), treeOf(sample))))
  return fc.oneof({ weight: 9, arbitrary: changed }, { weight: 1, arbitrary: anyJson })
}

/** The same as JSON.parse gives it: an own `__proto__` and numbers beyond all bounds included. */
export function likeParsed(...samples: readonly unknown[]): fc.Arbitrary<unknown> {
  return likeJson(...samples).map((text): unknown => JSON.parse(text))
}

// A tree of texts: what is put in keeps its spelling (1e999, an own __proto__), which a JavaScript value would lose.
type Tree = string | { keys: [string, Tree][] } | { items: Tree[] }

function treeOf(value: unknown): Tree {
  if (Array.isArray(value)) return { items: value.map(treeOf) }
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null'
  return { keys: Object.entries(value).map(([key, inner]) => [key, treeOf(inner)]) }
}

function textOf(tree: Tree): string {
  if (typeof tree === 'string') return tree
  if ('items' in tree) return `[${tree.items.map(textOf).join()}]`
  return `{${tree.keys.map(([key, value]) => `${JSON.stringify(key)}:${textOf(value)}`).join()}}`
}

function countOf(tree: Tree): number {
  if (typeof tree === 'string') return 1
  const inner = 'items' in tree ? tree.items : tree.keys.map(([, value]) => value)
  return 1 + inner.reduce((sum, one) => sum + countOf(one), 0)
}

function apply(tree: Tree, one: Change): Tree {
  const target = Math.floor((one.where / 0x10000) * countOf(tree))
  return changed(tree, target, one)[0] ?? 'null'
}

/** What stands in place of the node of that number, counted from the top down: nothing, one, or many. */
function changed(tree: Tree, target: number, one: Change): Tree[] {
  if (target === 0) return inPlaceOf(tree, one)
  if (typeof tree === 'string') return [tree]
  let left = target - 1
  const inner = (value: Tree): Tree[] => {
    const mine = left
    left -= countOf(value)
    return mine >= 0 && left < 0 ? changed(value, mine, one) : [value]
  }
  if ('items' in tree) return [{ items: tree.items.flatMap(inner) }]
  return [
    { keys: tree.keys.flatMap(([key, value]) => inner(value).map((found): [string, Tree] => [key, found])) },
  ]
}

function inPlaceOf(tree: Tree, one: Change): Tree[] {
  switch (one.act) {
    case 'replace':
      return [one.json]
    case 'drop':
      return []
    case 'double':
      return Array.from({ length: one.times + 1 }, () => tree)
    case 'add':
      return [added(tree, one.key, one.json)]
    default:
      return one satisfies never
  }
}

function added(tree: Tree, key: string, json: string): Tree {
  if (typeof tree === 'string') return { keys: [[key, json]] }
  return 'items' in tree ? { items: [...tree.items, json] } : { keys: [...tree.keys, [key, json]] }
}
