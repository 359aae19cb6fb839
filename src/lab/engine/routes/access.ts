import { collection, idIn, ok } from '../api/call.ts'
import {
  domainId,
  permissionElement,
  permitElement,
  roleElement,
  userElement,
} from '../api/infra-elements.ts'
import { found, list, one } from '../api/list.ts'
import type { Routes } from '../api/router.ts'
import { userSearch } from '../search/searchables.ts'
import { type Element, refTo } from '../wire/element.ts'
import type { World } from '../world/world.ts'

/** Users, their roles and what these permit. */
export const accessRoutes: Routes = {
  'GET /users': (call) => list(call, ['users', 'user'], call.world.users, userSearch, userElement),
  'GET /users/{id}': (call) => one(call, 'user', call.world.users, userElement),
  'GET /users/{id}/permissions': (call) => {
    const user = call.world.users.get(idIn(call, 'id'))
    return collection('permissions', 'permission', user ? [permissionElement(user)] : [])
  },
  'GET /users/{id}/roles': (call) => {
    const role = call.world.roles.get(call.world.users.get(idIn(call, 'id'))?.role ?? '')
    return collection('roles', 'role', role ? [roleElement(role)] : [])
  },
  'GET /permissions': ({ world }) => collection('permissions', 'permission', permissions(world)),
  'GET /permissions/{id}': (call) => {
    const id = idIn(call, 'id')
    const permission = permissions(call.world).find((each) => each['id'] === id)
    return found(permission, (each) => ok('permission', each))
  },
  'GET /roles': ({ world }) => collection('roles', 'role', [...world.roles.values()].map(roleElement)),
  'GET /roles/{id}': (call) => one(call, 'role', call.world.roles, roleElement),
  'GET /roles/{id}/permits': (call) => {
    const role = call.world.roles.get(idIn(call, 'id'))
    const permits = role?.permits.map((name, index) => permitElement(role, name, index)) ?? []
    return collection('permits', 'permit', permits)
  },
  'GET /roles/{id}/permits/{permit}': (call) => {
    const role = call.world.roles.get(idIn(call, 'id'))
    const index = Number(call.params['permit']) - 1
    const name = role?.permits[index]
    return found(role && name !== undefined ? permitElement(role, name, index) : undefined, (permit) =>
      ok('permit', permit),
    )
  },
  'GET /domains': ({ world }) => collection('domains', 'domain', domains(world)),
  'GET /domains/{id}': (call) => {
    const id = idIn(call, 'id')
    const domain = domains(call.world).find((each) => each['id'] === id)
    return found(domain, (each) => ok('domain', each))
  },
}

function permissions(world: World): Element[] {
  return [...world.users.values()].map(permissionElement)
}

function domains(world: World): Element[] {
  const names = new Set([...world.users.values()].map(({ domain }) => domain))
  return [...names].map((name) => ({ name, ...refTo('/domains', domainId(name)) }))
}
