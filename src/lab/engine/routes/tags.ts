import { randomUUID } from 'node:crypto'
import { collection, created, demand, done, idIn, ok } from '../api/call.ts'
import { tagElement } from '../api/infra-elements.ts'
import type { Routes } from '../api/router.ts'
import { incomplete, Missing, notFound } from '../wire/fault.ts'
import { vmIn } from './vms.ts'

/** Tags and their assignment to VMs. */
export const tagRoutes: Routes = {
  'GET /tags': ({ world }) =>
    collection(
      'tags',
      'tag',
      [...world.tags.values()].map((tag) => tagElement(tag)),
    ),
  'POST /tags': (call) => {
    demand(call, 'tag_management')
    const { name, description } = call.input('tag')
    if (typeof name !== 'string') throw incomplete('Tag', ['name'], 'add')
    const tag = { id: randomUUID(), name, description: typeof description === 'string' ? description : '' }
    call.world.tags.set(tag.id, tag)
    return created('tag', tagElement(tag))
  },
  'GET /tags/{tag}': (call) => {
    const tag = call.world.tags.get(idIn(call, 'tag'))
    if (tag === undefined) throw new Missing()
    return ok('tag', tagElement(tag))
  },
  'DELETE /tags/{tag}': (call) => {
    demand(call, 'tag_management')
    const id = idIn(call, 'tag')
    if (!call.world.tags.delete(id)) throw new Missing()
    for (const vm of call.world.vms.values()) vm.tags.delete(id)
    return done()
  },
  'GET /vms/{vm}/tags': (call) => {
    const vm = vmIn(call)
    const tags = [...vm.tags].flatMap((id) => call.world.tags.get(id) ?? [])
    return collection(
      'tags',
      'tag',
      tags.map((tag) => tagElement(tag, `/vms/${vm.id}/tags`)),
    )
  },
  'POST /vms/{vm}/tags': (call) => {
    demand(call, 'tag_management')
    const vm = vmIn(call)
    const { id, name } = call.input('tag')
    const tag = [...call.world.tags.values()].find((each) =>
      id === undefined ? each.name === name : each.id === id,
    )
    if (id === undefined && name === undefined) throw incomplete('Tag', ['id|name'], 'add')
    if (tag === undefined) throw notFound(`tag ${String(name ?? id)}`)
    vm.tags.add(tag.id)
    return created('tag', tagElement(tag, `/vms/${vm.id}/tags`))
  },
  'GET /vms/{vm}/tags/{tag}': (call) => {
    const vm = vmIn(call)
    const tag = call.world.tags.get(idIn(call, 'tag'))
    if (tag === undefined || !vm.tags.has(tag.id)) throw new Missing()
    return ok('tag', tagElement(tag, `/vms/${vm.id}/tags`))
  },
  'DELETE /vms/{vm}/tags/{tag}': (call) => {
    demand(call, 'tag_management')
    if (!vmIn(call).tags.delete(idIn(call, 'tag'))) throw new Missing()
    return done()
  },
}
