import { type Call, collection, demand, demandView, done, flag, idIn, ok } from '../api/call.ts'
import type { Routes } from '../api/router.ts'
import { attachmentElement, vmElement } from '../api/vm-elements.ts'
import { searched } from '../search/match.ts'
import { vmSearch } from '../search/searchables.ts'
import { Missing, refused } from '../wire/fault.ts'
import type { Vm } from '../world/entities.ts'
import { freezeOnRequest, thawOnRequest } from '../world/freeze.ts'
import { startVm, stopVm } from '../world/vm-life.ts'

/** VMs, their disk attachments and their life. */
export const vmRoutes: Routes = {
  'GET /vms': (call) => {
    demandView(call)
    const { world, query } = call
    const found = searched([...world.vms.values()], vmSearch(world), query)
    return collection(
      'vms',
      'vm',
      found.map((vm) => vmElement(world, vm)),
    )
  },
  'GET /vms/{vm}': (call) => ok('vm', vmElement(call.world, vmIn(call))),
  'GET /vms/{vm}/diskattachments': (call) => {
    const vm = call.world.vms.get(idIn(call, 'vm'))
    const attachments =
      vm === undefined ? [] : [...vm.attachments.values()].map((each) => attachmentElement(vm, each))
    return collection('disk_attachments', 'disk_attachment', attachments)
  },
  'GET /vms/{vm}/diskattachments/{disk}': (call) => {
    const vm = vmIn(call)
    const attachment = vm.attachments.get(idIn(call, 'disk'))
    if (attachment === undefined) throw new Missing()
    return ok('disk_attachment', attachmentElement(vm, attachment))
  },
  'ACTION /vms/{vm}/start': (call) => {
    demand(call, 'run_vm')
    call.input('action')
    return done(startVm(call.world, commandVm(call, 'run'), call.issuer).job)
  },
  'ACTION /vms/{vm}/stop': (call) => powerOff(call, 'stop_vm'),
  'ACTION /vms/{vm}/shutdown': (call) => powerOff(call, 'shut_down_vm'),
  'ACTION /vms/{vm}/freezefilesystems': async (call) => {
    demand(call, 'edit_vm_properties')
    call.input('action')
    await freezeOnRequest(call.world, idIn(call, 'vm'))
    return done()
  },
  'ACTION /vms/{vm}/thawfilesystems': async (call) => {
    demand(call, 'edit_vm_properties')
    call.input('action')
    await thawOnRequest(call.world, idIn(call, 'vm'))
    return done()
  },
}

/** The VM named in the path; a plain GET of one that is not there is an empty 404. */
export function vmIn(call: Call): Vm {
  const vm = call.world.vms.get(idIn(call, 'vm'))
  if (vm === undefined) throw new Missing()
  return vm
}

function commandVm(call: Call, verb: string): Vm {
  const vm = call.world.vms.get(idIn(call, 'vm'))
  if (vm === undefined) throw refused(400, `Cannot ${verb} VM. VM is not found.`)
  return vm
}

function powerOff(call: Call, permit: string) {
  demand(call, permit)
  call.input('action')
  const vm = commandVm(call, 'stop')
  if (vm.lock !== undefined && !flag(call, 'force')) throw refused(409, `Cannot stop VM. ${vm.lock}`)
  return done(stopVm(call.world, vm, call.issuer).job)
}
