import type { Document, Element } from '../wire/element.ts'
import { ApiFault, forbidden } from '../wire/fault.ts'
import type { Input } from '../wire/parse-input.ts'
import type { User } from '../world/entities.ts'
import { isUuid } from '../world/ids.ts'
import type { Issuer } from '../world/jobs.ts'
import type { World } from '../world/world.ts'

/** One request as a route's handler sees it. */
export interface Call {
  world: World
  user: User
  /** A session that sees only what its user has been given: the `Filter: true` header. */
  filtered: boolean
  params: Readonly<Record<string, string>>
  query: URLSearchParams
  /** The client waits for the outcome: `Expect: 201-created`. */
  waits: boolean
  issuer: Issuer
  /** The body, read as an input type. */
  input(type: string): Input
}

export interface Answer {
  status: number
  document?: Document
}

export type Handler = (call: Call) => Answer | Promise<Answer>

/** A path parameter that must be a UUID; anything else is 400. */
export function idIn(call: Call, name: string): string {
  const id = call.params[name] ?? ''
  if (!isUuid(id)) throw new ApiFault(400, 'Operation failed', `Invalid UUID string: ${id}`)
  return id.toLowerCase()
}

export function ok(tag: string, element: Element): Answer {
  return { status: 200, document: { tag, element } }
}

export function created(tag: string, element: Element, status: 201 | 202 = 201): Answer {
  return { status, document: { tag, element } }
}

/** A collection: `vms` holding many `vm`. */
export function collection(tag: string, each: string, items: Element[]): Answer {
  return { status: 200, document: { tag, element: { [each]: items }, each } }
}

/** A command's answer: 200 and `complete` at once, with the job to follow. */
export function done(job?: { id: string }): Answer {
  return ok('action', {
    ...(job && { job: { href: `/jobs/${job.id}`, id: job.id } }),
    status: 'complete',
  })
}

/** Throws 403 unless the user's role has the right. */
export function demand(call: Call, permit: string): void {
  const role = call.world.roles.get(call.user.role)
  if (!role?.permits.includes(permit)) throw forbidden()
}

/** Lists for administrators only, unless filtered. */
export function demandView(call: Call): void {
  const role = call.world.roles.get(call.user.role)
  if (role?.administrative !== true && !call.filtered) {
    throw new ApiFault(403, 'Operation Failed', 'query execution failed due to insufficient permissions.')
  }
}

/** Whether a boolean parameter is set: present without a value counts as true. */
export function flag(call: Call, name: string): boolean {
  const value = call.query.get(name)
  return value !== null && value.toLowerCase() !== 'false'
}
