import type { OvfStoreContent } from '../../vm-host.ts'
import { refused } from '../wire/fault.ts'
import { activeVolume, imagesOf } from './disk-state.ts'
import type { StorageDomain, Vm } from './entities.ts'
import { logEvent } from './events.ts'
import { endCommand, type Issuer, startJob } from './jobs.ts'
import { ovfOf } from './ovf.ts'
import type { World } from './world.ts'

/** Starts an update of a domain's OVF_STORE; the answer comes long before it is written. */
export function updateOvfStore(world: World, domain: StorageDomain, issuer: Issuer) {
  if (domain.locked) {
    throw refused(
      409,
      'Cannot update OVF Store. Related operation is currently in progress. Please try again later.',
    )
  }
  domain.locked = true
  const job = startJob(world, issuer, `Updating OVFs for Storage Domain ${domain.name}`)
  const refs = { storageDomain: domain.id, ...(domain.dataCenter && { dataCenter: domain.dataCenter }) }
  const done = world.background(async () => {
    try {
      await world.sleep(world.settings.timings.ovfUpdate)
      if (world.faults.take({ at: 'ovf' })) throw new Error('the upload failed')
      const written = await writeOvfStores(world, domain)
      if (written)
        logEvent(world, 199, `OVF_STORE of ${domain.name} was updated by ${issuer.userName}.`, refs, issuer)
      else logEvent(world, 1052, `Nothing to update in the OVF_STORE of '${domain.name}'.`, refs, issuer)
      endCommand(world, job, true)
    } catch (error) {
      logEvent(world, 1016, `OVF_STORE of ${domain.name} was not updated: ${String(error)}`, refs, issuer)
      endCommand(world, job, false)
    } finally {
      domain.locked = false
    }
  })
  return { job, done }
}

/**
 * What the engine's timer does every hour, without a job and with an event only for a failure: every active data domain
 * is brought up to date; one that is just being updated is left out. Answers what was written, by domain.
 */
export async function tickOvfTimer(world: World): Promise<{ name: string; written: boolean }[]> {
  const due = [...world.domains.values()].filter(
    ({ status, type, ovfStores, locked }) =>
      status === 'active' && type === 'data' && ovfStores.length > 0 && !locked,
  )
  return Promise.all(due.map(async (domain) => ({ name: domain.name, written: await tick(world, domain) })))
}

async function tick(world: World, domain: StorageDomain): Promise<boolean> {
  domain.locked = true
  try {
    if (world.faults.take({ at: 'ovf' })) throw new Error('the upload failed')
    return await writeOvfStores(world, domain)
  } catch (error) {
    const refs = { storageDomain: domain.id, ...(domain.dataCenter && { dataCenter: domain.dataCenter }) }
    logEvent(world, 1016, `OVF_STORE of ${domain.name} was not updated: ${String(error)}`, refs)
    return false
  } finally {
    domain.locked = false
  }
}

/** Writes both stores; false when no VM of the domain has changed since they were written. */
export async function writeOvfStores(world: World, domain: StorageDomain): Promise<boolean> {
  const vms = vmsOn(world, domain)
  for (const vm of vms) renewOvf(world, vm)
  const written = new Map(vms.flatMap((vm) => (vm.ovf ? [[vm.id, vm.ovf.generation] as const] : [])))
  const same =
    written.size === domain.ovfWritten.size &&
    [...written].every(([id, generation]) => domain.ovfWritten.get(id) === generation)
  if (same && domain.ovfWritten.size > 0) return false
  const content = contentOf(world, domain, vms)
  for (const id of domain.ovfStores) {
    const store = world.disks.get(id)
    if (store) await world.host.writeOvfStore({ image: id, volume: activeVolume(store).id }, content)
  }
  domain.ovfWritten = written
  return true
}

/** VMs with a locked disk or a snapshot that is not ok keep the document they had. */
function renewOvf(world: World, vm: Vm): void {
  if (vm.ovf?.generation === vm.generation) return
  const settled =
    vm.snapshots.every((snapshot) => snapshot.status === 'ok') &&
    imagesOf(world, vm).every((disk) => disk.status !== 'locked')
  if (settled) vm.ovf = { generation: vm.generation, text: ovfOf(world, vm) }
}

function contentOf(world: World, domain: StorageDomain, vms: readonly Vm[]): OvfStoreContent {
  const at = world.clock.now()
  const info = { 'Creation Date': at.toISOString(), 'Storage Domains': [{ uuid: domain.id }] }
  const running = Object.fromEntries(vms.filter((vm) => vm.status !== 'down').map((vm) => [vm.id, 1]))
  return {
    at,
    members: [
      { name: 'info.json', content: JSON.stringify(info) },
      { name: 'metadata.json', content: JSON.stringify({ 'VM Status': running }) },
      ...vms.flatMap((vm) => (vm.ovf ? [{ name: `${vm.id}.ovf`, content: vm.ovf.text }] : [])),
    ],
  }
}

/** The VMs with an image disk on a domain. */
export function vmsOn(world: World, domain: StorageDomain): Vm[] {
  return [...world.vms.values()].filter((vm) => imagesOf(world, vm).some((disk) => disk.domain === domain.id))
}
