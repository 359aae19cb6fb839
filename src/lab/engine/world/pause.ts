import { refused } from '../wire/fault.ts'
import { isRunning } from './disk-state.ts'
import type { Vm } from './entities.ts'
import { logEvent, refsOf } from './events.ts'
import type { PauseReason } from './vm-acts.ts'
import type { World } from './world.ts'

const reasons: Readonly<Record<Exclude<PauseReason, 'none'>, [code: number, words: string]>> = {
  'no space': [138, 'no storage space error'],
  other: [139, 'unknown storage error'],
  io: [145, 'storage I/O error'],
  permission: [146, 'storage read/write permissions error'],
}

/** Stops a running guest; with a reason the engine logs that after the pause itself. */
export async function pauseVm(world: World, vm: Vm, reason: PauseReason): Promise<void> {
  if (!isRunning(vm) || vm.status === 'paused') throw refused(409, 'Cannot pause VM. VM is not running.')
  await world.host.suspend?.(vm.id)
  vm.status = 'paused'
  logEvent(world, 1025, `VM ${vm.name} has been paused.`, refsOf(vm))
  if (reason === 'none') return
  const [code, words] = reasons[reason]
  logEvent(world, code, `VM ${vm.name} has been paused due to ${words}.`, refsOf(vm))
}

/** Lets a paused guest go on, as a host does by itself once its storage answers again. */
export async function resumeVm(world: World, vm: Vm): Promise<void> {
  if (vm.status !== 'paused') throw refused(409, 'Cannot resume VM. VM is not paused.')
  await world.host.resume?.(vm.id)
  vm.status = 'up'
  logEvent(world, 196, `VM ${vm.name} has recovered from paused back to up.`, refsOf(vm))
}

/** Stops the guest while its memory is saved; one that stands still already stays so after it. */
export async function pauseForMemory(world: World, vm: Vm) {
  const before = vm.status
  const pauses = before !== 'paused'
  // A VM whose process has just died fails at the switch.
  if (pauses) await world.host.suspend?.(vm.id).catch(() => undefined)
  vm.status = 'paused'
  return {
    resume: async () => {
      if (!pauses || vm.status !== 'paused') return
      await world.host.resume?.(vm.id).catch(() => undefined)
      vm.status = before
    },
  }
}
