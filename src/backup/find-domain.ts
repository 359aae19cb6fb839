import type { Finding } from '../model/finding.ts'
import type { VolumePair } from '../model/replication.ts'
import type { StorageDomain } from '../model/vm.ts'
import type { Place, Sibling } from './plan.ts'

/** The storage domain that lies on the volume, or why there is none to be had. */
export function findDomain(
  domains: readonly StorageDomain[],
  pair: VolumePair,
  name: string | undefined,
): StorageDomain | Finding {
  const { volume, hosts } = pair.primary
  const onVolume = domains.filter((one) => liesOn(one, volume))
  const named = name === undefined ? onVolume : onVolume.filter((one) => one.name === name)
  const close = named.filter((one) => hosts.includes(one.address))
  const found = named.length > 1 && close.length === 1 ? close : named
  if (found.length === 1 && found[0] !== undefined) return found[0]
  const known = domains.map((one) => `${one.name} (${one.type} ${one.address}:${one.path})`).join(', ')
  const wanted = `${name === undefined ? '' : `called ${name} `}on volume ${volume}`
  return {
    severity: 'error',
    subject: 'storage domain',
    what: `the engine has ${found.length === 0 ? 'no' : 'more than one'} storage domain ${wanted}; it knows ${known || 'none'}`,
    hint: 'check the volume name, or name the domain with [snapshot] storage_domain',
  }
}

function liesOn({ type, path }: StorageDomain, volume: string): boolean {
  return type === 'glusterfs' && path.replace(/^\/+/, '') === volume
}

/** By the volume's name alone: a disk on another volume of that name would rather be waited for than be left out. */
export function placeOf(one: Sibling, domains: readonly StorageDomain[]): Place {
  return { ...one, domains: domains.filter((found) => liesOn(found, one.primary)) }
}

/** What stands against it; `root` is what lies at the primary's root, if it could be mounted. */
export function domainFindings(domain: StorageDomain, root: readonly string[] | undefined): Finding[] {
  if (root !== undefined && !root.includes(domain.id)) {
    return [
      {
        severity: 'error',
        subject: `storage domain ${domain.name}`,
        what: `the primary volume has no directory ${domain.id}: the engine means another volume of that name`,
        hint: 'give the volume that the domain lies on, or name another domain with [snapshot] storage_domain',
      },
    ]
  }
  if (domain.status === 'active') return []
  return [
    {
      severity: 'error',
      subject: `storage domain ${domain.name}`,
      what: `it is ${domain.status ?? 'unattached'}, not active`,
      hint: 'activate it in its data centre',
    },
  ]
}
