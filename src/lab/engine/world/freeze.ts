import { refused } from '../wire/fault.ts'
import { isRunning } from './disk-state.ts'
import type { Vm } from './entities.ts'
import { logEvent, refsOf } from './events.ts'
import { strikes } from './faults.ts'
import type { Issuer } from './jobs.ts'
import type { World } from './world.ts'

const freezeHangMs = 8 * 60_000

/**
 * Freezes the guest for a snapshot. vdsm ignores the outcome (jobs/snapshot.py); only an engine told to freeze by itself
 * reports it, and throws if the snapshot may not be inconsistent.
 */
export async function freezeGuest(world: World, vm: Vm, issuer: Issuer): Promise<void> {
  const loud = world.settings.freezeInEngine
  if (loud) logEvent(world, 10766, `Freeze of the guest on VM ${vm.name} was begun.`, refsOf(vm), issuer)
  try {
    await freeze(world, vm)
    if (loud) logEvent(world, 10767, `The guest on VM ${vm.name} is frozen.`, refsOf(vm), issuer)
  } catch (error) {
    if (loud) logEvent(world, 10764, `Freeze of the guest on VM ${vm.name} failed.`, refsOf(vm), issuer)
    if (loud && !world.settings.allowInconsistent) throw error
  }
}

/**
 * Thaws after a snapshot that was to freeze, also if that failed or somebody else had frozen the guest before: the agent
 * may have frozen and only answered too late (jobs/snapshot.py). Never throws.
 */
export async function thawGuest(world: World, vm: Vm, issuer: Issuer): Promise<void> {
  await thaw(world, vm).catch(() => {
    if (!world.settings.freezeInEngine) return
    logEvent(world, 10765, `Thaw of the guest on VM ${vm.name} failed.`, refsOf(vm), issuer)
  })
}

/** The API's freeze action: it does report failure. */
export async function freezeOnRequest(world: World, vmId: string): Promise<void> {
  await onRunningVm(world, vmId, 'freeze', (vm) => freeze(world, vm))
}

/** The API's thaw action; a guest that is not frozen is left alone. */
export async function thawOnRequest(world: World, vmId: string): Promise<void> {
  await onRunningVm(world, vmId, 'thaw', (vm) => thaw(world, vm))
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
  if (fault?.effect === 'fails') throw noAnswer()
  demandAgent(vm)
  await world.host.freeze(vm.id)
  if (fault?.effect === 'fails frozen') throw noAnswer()
}

async function thaw(world: World, vm: Vm): Promise<void> {
  demandAgent(vm)
  await world.host.thaw(vm.id)
}

/** The agent is a process of the guest: it stands still with it. */
function demandAgent(vm: Vm): void {
  if (!vm.guestAgent || vm.status === 'paused') throw noAnswer()
}

function noAnswer(): Error {
  return new Error('the guest agent does not answer')
}
