import type { Handler } from './call.ts'

/** Handlers by method and path; `ACTION` is the POST of an action, whose faults are nested in an action. */
export type Routes = Readonly<Record<`${'GET' | 'POST' | 'PUT' | 'DELETE' | 'ACTION'} /${string}`, Handler>>

export interface Route {
  handler: Handler
  action: boolean
  /** The path's pattern, as in `/vms/{vm}`. */
  pattern: string
}

interface Node {
  fixed: Map<string, Node>
  parameter: { name: string; node: Node } | undefined
  routes: Map<string, Route>
}

export type Found =
  | { kind: 'route'; route: Route; params: Record<string, string> }
  | { kind: 'no method'; allowed: string[] }
  | { kind: 'nothing' }

/** Finds routes by path, in time that does not depend on their number. */
export class Router {
  readonly #root: Node = emptyNode()

  constructor(...tables: readonly Routes[]) {
    for (const table of tables) for (const [key, handler] of Object.entries(table)) this.#add(key, handler)
  }

  find(method: string, path: string): Found {
    const params: Record<string, string> = {}
    let node: Node | undefined = this.#root
    for (const segment of segmentsOf(path)) {
      node = step(node, segment, params)
      if (node === undefined) return { kind: 'nothing' }
    }
    if (node.routes.size === 0) return { kind: 'nothing' }
    const route = node.routes.get(method)
    return route ? { kind: 'route', route, params } : { kind: 'no method', allowed: [...node.routes.keys()] }
  }

  #add(key: string, handler: Handler): void {
    const [kind = '', pattern = ''] = key.split(' ')
    let node = this.#root
    for (const segment of segmentsOf(pattern)) node = grow(node, segment)
    node.routes.set(kind === 'ACTION' ? 'POST' : kind, { handler, action: kind === 'ACTION', pattern })
  }
}

function segmentsOf(path: string): string[] {
  return path.split('/').filter((segment) => segment !== '')
}

function step(node: Node, segment: string, params: Record<string, string>): Node | undefined {
  const fixed = node.fixed.get(segment)
  if (fixed !== undefined || node.parameter === undefined) return fixed
  params[node.parameter.name] = segment
  return node.parameter.node
}

function grow(node: Node, segment: string): Node {
  if (segment.startsWith('{')) {
    node.parameter ??= { name: segment.slice(1, -1), node: emptyNode() }
    return node.parameter.node
  }
  const next = node.fixed.get(segment) ?? emptyNode()
  node.fixed.set(segment, next)
  return next
}

function emptyNode(): Node {
  return { fixed: new Map(), parameter: undefined, routes: new Map() }
}
