import { nearest } from '../config/suggest.ts'
import { Refused, Unknown } from '../model/errors.ts'
import type { Hypervisor } from '../model/hypervisor.ts'
import { keepOutTag, type Policy } from '../model/selection.ts'
import { shown } from '../model/shown.ts'
import type { VmRef } from '../model/vm.ts'

const mostTold = 20

/**
 * Gives VMs (names or ids) one policy and no other, by tags in the engine; without a name the only policy that there is.
 * All names are looked at before any tag is set. Throws Unknown for what there is not, Refused for what is not clear.
 */
export async function protectVms(
  hypervisor: Hypervisor,
  vms: readonly string[],
  policy: string | undefined,
  policies: readonly Policy[],
  signal: AbortSignal,
): Promise<VmRef[]> {
  const wanted = chosen(policy, policies)
  const found = await findAll(hypervisor, vms, signal)
  // First the new one: at no moment is a VM without any that was to have one.
  for (const vm of found) await hypervisor.tag(vm, wanted.tag, signal)
  const others = [keepOutTag, ...policies.filter((one) => one !== wanted).map(({ tag }) => tag)]
  await takeOff(hypervisor, found, others, signal)
  const kept = await stillCarrying(hypervisor, found, others, signal)
  if (kept.length > 0) {
    throw new Refused(`${wanted.tag} is set, but other tags are still in force: ${kept.join(', ')}`, {
      hint: "a VM has a tag also by one below it in the engine's tree of tags: take that from it in the engine's portal",
    })
  }
  return found
}

/** Keeps VMs out of every selection by a tag in the engine, and takes their policies from them. Throws Unknown, Refused. */
export async function unprotectVms(
  hypervisor: Hypervisor,
  vms: readonly string[],
  policies: readonly Policy[],
  signal: AbortSignal,
): Promise<VmRef[]> {
  const found = await findAll(hypervisor, vms, signal)
  for (const vm of found) await hypervisor.tag(vm, keepOutTag, signal)
  const tags = policies.map(({ tag }) => tag)
  await takeOff(hypervisor, found, tags, signal)
  return found
}

function chosen(policy: string | undefined, policies: readonly Policy[]): Policy {
  const names = policies.map(({ name }) => name)
  const known = `there are: ${names.join(', ')}`
  if (policy === undefined) {
    const [only, ...more] = policies
    if (only !== undefined && more.length === 0) return only
    throw new Refused(only === undefined ? 'there is no policy' : 'it is not clear which policy is meant', {
      hint: only === undefined ? 'add one to backup.cfg: [policy NAME] with rpo = ...' : `name one; ${known}`,
    })
  }
  const found = policies.find(({ name }) => name.toLowerCase() === policy.toLowerCase())
  if (found !== undefined) return found
  throw new Unknown(`there is no policy ${shown(policy)}`, {
    hint: names.length === 0 ? 'add it to backup.cfg: [policy NAME] with rpo = ...' : known,
  })
}

/** The VMs of these names; what is wrong with any of them is told with all the others. */
async function findAll(
  hypervisor: Hypervisor,
  names: readonly string[],
  signal: AbortSignal,
): Promise<VmRef[]> {
  const found = await hypervisor.findVms(names, signal)
  const meant = names.map((name) => ({ name, vms: meantBy(name, found) }))
  const missing = meant.flatMap(({ name, vms }) => (vms.length === 0 ? [name] : []))
  if (missing.length > 0) throw await unknown(hypervisor, missing, signal)
  const unclear = meant.filter(({ vms }) => vms.length > 1)
  if (unclear.length > 0) {
    const told = unclear.map(({ name, vms }) => `${name} (${vms.map(({ id }) => id).join(', ')})`)
    throw new Refused(`several VMs have the name ${told.join(', ')}`, { hint: 'name one by its id' })
  }
  return [...new Map(meant.flatMap(({ vms }) => vms).map((vm) => [vm.id, vm])).values()]
}

/** By id, else by the name as it is spelt, else by the name without case. */
function meantBy(name: string, found: readonly VmRef[]): VmRef[] {
  const same = (vm: VmRef) => vm.name.toLowerCase() === name.toLowerCase()
  for (const fits of [(vm: VmRef) => vm.id === name.toLowerCase(), (vm: VmRef) => vm.name === name, same]) {
    const vms = found.filter(fits)
    if (vms.length > 0) return vms
  }
  return []
}

async function unknown(
  hypervisor: Hypervisor,
  missing: readonly string[],
  signal: AbortSignal,
): Promise<Unknown> {
  const all = await hypervisor.findVms('all', signal)
  const spelt = new Map(all.map(({ name }) => [name.toLowerCase().replaceAll('-', '_'), name]))
  const told = missing.slice(0, mostTold).map((name) => {
    const near = spelt.get(nearest(name, [...spelt.keys()]) ?? '')
    return near === undefined ? shown(name) : `${shown(name)} (did you mean ${near}?)`
  })
  const more = missing.length > mostTold ? ` and ${missing.length - mostTold} more` : ''
  return new Unknown(`the engine has no VM ${told.join(', ')}${more}; nothing was changed`, {
    hint: 'vmbackup vms lists those that there are',
  })
}

async function takeOff(
  hypervisor: Hypervisor,
  vms: readonly VmRef[],
  tags: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  for (const tag of tags) {
    const carriers = new Set((await hypervisor.tagged(tag, signal)).map(({ id }) => id))
    for (const vm of vms) if (carriers.has(vm.id)) await hypervisor.untag(vm, tag, signal)
  }
}

async function stillCarrying(
  hypervisor: Hypervisor,
  vms: readonly VmRef[],
  tags: readonly string[],
  signal: AbortSignal,
): Promise<string[]> {
  const kept: string[] = []
  for (const tag of tags) {
    const carriers = new Set((await hypervisor.tagged(tag, signal)).map(({ id }) => id))
    kept.push(...vms.filter(({ id }) => carriers.has(id)).map(({ name }) => `${tag} of VM ${name}`))
  }
  return kept
}
