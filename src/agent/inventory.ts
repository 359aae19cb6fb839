import { findDomain } from '../backup/find-domain.ts'
import { type NamedSelection, resolveSelection } from '../backup/select.ts'
import type { JobConfig } from '../config/keys.ts'
import { Failure } from '../model/errors.ts'
import type { Hypervisor } from '../model/hypervisor.ts'
import { known } from '../model/known.ts'
import { nameOfPair, type Pair } from '../model/pair.ts'
import type { VolumePair } from '../model/replication.ts'
import type { Policy } from '../model/selection.ts'
import type { StorageDomain, Vm } from '../model/vm.ts'
import type { Inventory, InventoryVm } from './ports.ts'

/** Where the inventory comes from. */
export interface InventorySource {
  hypervisor: Hypervisor
  jobs: readonly JobConfig[]
  policies: readonly Policy[]
  /** What a pair's volumes are; asked once for each. */
  volumesOf(pair: Pair, signal: AbortSignal): Promise<VolumePair>
  selectionOf(job: JobConfig): NamedSelection
  /** Name of the storage domain where a volume has several. */
  storageDomain?: string | undefined
}

/**
 * A function that asks the engine for the VMs with disks on the jobs' volumes, and how each is to be protected: by which jobs, which
 * policy, which RPO, or why by none. A volume of which the replication tells nothing keeps the others from nothing. Throws what the engine
 * throws.
 */
export function inventoryFrom(source: InventorySource): (signal: AbortSignal) => Promise<Inventory> {
  const domains = new Map<string, StorageDomain>()

  const domainOf = async (pair: Pair, signal: AbortSignal): Promise<StorageDomain | Blind> => {
    const known = domains.get(pair.primary)
    if (known !== undefined) return known
    const [all, volumes] = await Promise.all([
      source.hypervisor.domains(signal),
      source.volumesOf(pair, signal).catch((error: unknown) => {
        signal.throwIfAborted()
        return new Blind(pair, error)
      }),
    ])
    if (volumes instanceof Blind) return volumes
    const found = findDomain(all, volumes, source.storageDomain)
    if ('severity' in found) {
      return new Blind(pair, new Failure(`${found.subject}: ${found.what}`, { hint: found.hint }))
    }
    domains.set(pair.primary, found)
    return found
  }

  const listOrBlind = async (pair: Pair, signal: AbortSignal): Promise<readonly Vm[] | Blind> => {
    const domain = await domainOf(pair, signal)
    return domain instanceof Blind ? domain : source.hypervisor.vms(domain, signal)
  }

  return async (signal) => {
    const listed = new Map<string, readonly Vm[] | Blind>()
    const vmsOn = async (pair: Pair): Promise<readonly Vm[]> => {
      const vms = listed.get(pair.primary) ?? (await listOrBlind(pair, signal))
      listed.set(pair.primary, vms)
      return vms instanceof Blind ? [] : vms
    }
    const found = new Map<string, Sighting[]>()
    for (const job of source.jobs) {
      const selection = source.selectionOf(job)
      const selected = await resolveSelection(source.hypervisor, selection, source.policies, signal)
      for (const pair of job.pairs) {
        for (const vm of await vmsOn(pair)) {
          const sighting = {
            job,
            pair,
            vm,
            whyNot: selected.whyNotSelected(vm),
            policy: selected.policyOf(vm),
          }
          found.set(vm.id, [...(found.get(vm.id) ?? []), sighting])
        }
      }
    }
    const blind = [...listed.values()].filter((one) => one instanceof Blind)
    const seen = new Set([...domains.values()].map(({ id }) => id))
    const isPartly = ({ disks }: Vm): boolean =>
      blind.length > 0 && disks.some((disk) => disk.domains.some((id) => !seen.has(id)))
    const vms = [...found.values()].map((sightings) => {
      const vm = vmOf(sightings, source.policies)
      return sightings.some((one) => isPartly(one.vm)) ? { ...vm, partly: true as const } : vm
    })
    return { vms, blind }
  }
}

/** That nothing can be learnt of a pair's volumes, and why. */
class Blind {
  readonly pair: Pair
  readonly error: unknown

  constructor(pair: Pair, error: unknown) {
    this.pair = pair
    this.error = error
  }
}

/** A VM as one of the jobs sees it on one of its volumes. */
interface Sighting {
  job: JobConfig
  pair: Pair
  vm: Vm
  whyNot: string | undefined
  policy: string | undefined
}

function vmOf(sightings: readonly Sighting[], policies: readonly Policy[]): InventoryVm {
  const [{ vm, policy, whyNot } = { vm: { id: '', name: '' } }] = sightings
  const by = sightings.filter((one) => one.whyNot === undefined)
  const rpos = by.flatMap(({ job }) => job.rpoMs ?? [])
  const ofPolicy = policies.find(({ name }) => name === policy)?.rpoMs
  return known({
    id: vm.id,
    name: vm.name,
    jobs: [...new Set(by.map(({ job }) => job.name))],
    pairs: [...new Set(by.map(({ pair }) => nameOfPair(pair)))],
    policy,
    rpoMs: by.length === 0 ? undefined : (ofPolicy ?? (rpos.length === 0 ? undefined : Math.min(...rpos))),
    whyNot: by.length === 0 ? whyNot : undefined,
  })
}
