import { setTimeout as pause } from 'node:timers/promises'
import { EngineError } from '../../src/model/errors.ts'
import type { Hypervisor, Job, Observation } from '../../src/model/hypervisor.ts'
import type { Overlay, Snapshot, StorageDomain, Vm } from '../../src/model/vm.ts'
import { uuidOf } from '../support/vms.ts'

/** Never aborted. */
export const { signal } = new AbortController()

const paceMs = 4
const patienceMs = 10_000

export async function vmstore(hypervisor: Hypervisor): Promise<StorageDomain> {
  const found = (await hypervisor.domains(signal)).find(({ name }) => name === 'vmstore')
  if (found === undefined) throw new Error('there is no storage domain vmstore')
  return found
}

export async function vmOf(hypervisor: Hypervisor, name: string): Promise<Vm> {
  const vms = await hypervisor.vms(await vmstore(hypervisor), signal)
  const found = vms.find((vm) => vm.name === name)
  if (found === undefined) throw new Error(`there is no VM ${name}`)
  return found
}

/** A snapshot of all disks of a VM. */
export function orderFor(vm: Vm): { description: string; overlays: Overlay[] } {
  const overlays = vm.disks.map(({ id, volume = '' }) => ({
    image: id,
    base: volume,
    overlay: uuidOf(`over ${volume}`),
  }))
  return { description: 'of the contract', overlays }
}

/** One look at a VM under the prefix `run-`. */
export function look(hypervisor: Hypervisor, vm: Vm): Promise<Observation> {
  return hypervisor.observe([vm], 'run-', signal)
}

/** Looks until the act under a tag has ended and nothing of the VM is locked. */
export async function settled(hypervisor: Hypervisor, vm: Vm, tag: string): Promise<Observation> {
  const end = Date.now() + patienceMs
  for (;;) {
    const seen = await look(hypervisor, vm)
    const now = seen.vms.get(vm.id)
    const isFree = ![...(now?.disks ?? []), ...(now?.snapshots ?? [])].some((one) => one.status === 'locked')
    if (stateOf(seen, tag) !== 'running' && isFree) return seen
    if (Date.now() > end) throw new Error(`${tag} has not ended: ${JSON.stringify(seen.jobs)}`)
    await pause(paceMs)
  }
}

/** The state of the job under a tag. */
export function stateOf(seen: Observation, tag: string): Job['state'] | undefined {
  return seen.jobs.find((job) => job.tag === tag)?.state
}

/** The rows of all VMs seen but those that stand for their present. */
export function rowsOf(seen: Observation): Snapshot[] {
  return [...seen.vms.values()].flatMap((vm) => vm.snapshots.filter(({ kind }) => kind !== 'active'))
}

export function volumesOf(seen: Observation): (string | undefined)[] {
  return [...seen.vms.values()].flatMap((vm) => vm.disks.map(({ volume }) => volume))
}

/** Events that mean something, each as its tag and its meaning. */
export function meaningsOf(seen: Observation): string[] {
  return seen.events.flatMap(({ tag, meaning }) => (meaning === undefined ? [] : `${tag} ${meaning}`))
}

/** The HTTP status, if it has one, of the EngineError that an act must end with. */
export async function refusalOf(act: Promise<unknown>): Promise<number | undefined> {
  try {
    await act
  } catch (error) {
    if (error instanceof EngineError) return error.status
    throw error
  }
  throw new Error('it was not refused')
}
