import { refused } from '../wire/fault.ts'
import { isRunning } from './disk-state.ts'
import type { Vm } from './entities.ts'
import { logEvent } from './events.ts'
import { strikes } from './faults.ts'
import type { Issuer } from './jobs.ts'
import type { World } from './world.ts'

const freezeHangMs = 8 * 60_000

/**
 * Freezes the guest for a snapshot and says whether it is frozen. vdsm ignores the outcome (jobs/snapshot.py); only an
 * engine told to freeze by itself reports it, and fails the snapshot if it may not be inconsistent.
 */
export async function freezeGuest(world: World, vm: Vm, issuer: Issuer): Promise<boolean> {
  const loud = world.settings.freezeInEngine
  if (loud) logEvent(world, 10766, `Freeze of the guest on VM ${vm.name} was begun.`, { vm: vm.id }, issuer)
  try {
    await freeze(world, vm)
    if (loud) logEvent(world, 10767, `The guest on VM ${vm.name} is frozen.`, { vm: vm.id }, issuer)
    return true
  } catch (error) {
    if (loud) logEvent(world, 10764, `Freeze of the guest on VM ${vm.name} failed.`, { vm: vm.id }, issuer)
    if (loud && !world.settings.allowInconsistent) throw error
    return false
  }
}

/** Thaws whatever is frozen; a guest that is not is left alone. */
export async function thawGuest(world: World, vm: Vm): Promise<void> {
  await world.host.thaw(vm.id).catch(() => undefined)
}

/** The API's freeze action: it does report failure. */
export async function freezeOnRequest(world: World, vmId: string): Promise<void> {
  await onRunningVm(world, vmId, 'freeze', (vm) => freeze(world, vm))
}

/** The API's thaw action. */
export async function thawOnRequest(world: World, vmId: string): Promise<void> {
  await onRunningVm(world, vmId, 'thaw', (vm) => world.host.thaw(vm.id))
}

async function onRunningVm(world: World, vmId: string, verb: string, act: (vm: Vm) => Promise<void>) {
  const vm = world.vms.get(vmId)
  if (vm === undefined) throw refused(400, `Cannot ${verb} VM. VM is not found.`)
  if (!isRunning(vm)) throw refused(409, `Cannot ${verb} VM. VM is not running.`)
  try {
    await act(vm)
  } catch (cause) {
    throw refused(400, cause instanceof Error ? cause.message : String(cause))
  }
}

async function freeze(world: World, vm: Vm): Promise<void> {
  const fault = world.faults.take({ at: 'freeze', fits: (candidate) => strikes(candidate, vm) })
  if (fault?.effect === 'hangs') await world.sleep(fault.ms ?? freezeHangMs)
  if (fault?.effect === 'fails' || !vm.guestAgent) throw new Error('the guest agent does not answer')
  await world.host.freeze(vm.id)
}
