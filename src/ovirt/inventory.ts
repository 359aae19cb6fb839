import { EngineError } from '../model/errors.ts'
import { uuid } from '../model/names.ts'
import type { StorageDomain, Vm, VmRef } from '../model/vm.ts'
import type { Http } from './http.ts'
import { domainsIn } from './wire-domain.ts'
import { missingParts, type VmRow, vmIn, vmParts, vmRefsIn, vmRowsIn, withDisks } from './wire-vm.ts'

/** An answer of 100 VMs has a megabyte: what a larger one takes to read stays with the process for good. */
const vmsPerPage = 100
const idsPerRequest = 100
const refsPerPage = 200
/** Addresses have a length; a name may have 255 characters. */
const namesPerRequest = 20
/** Others the engine gives to no VM (NO_SPECIAL_CHARACTERS_EXTRA_I18N; older ones had spaces), and a quote would end the search. */
const vmName = /^[\p{L}\p{N}._+ -]{1,255}$/u
const extraRequestsAtOnce = 4

/** All VMs with a disk on the domain, however many pages they fill. */
export async function vmsOn(http: Http, domain: StorageDomain, signal: AbortSignal): Promise<Vm[]> {
  const doing = `list the VMs of storage domain ${domain.name}`
  const seen = new Set<string>()
  const vms: Vm[] = []
  for (let page = 1; ; page++) {
    const search = `${conditionFor(domain.name)}sortby name page ${page}`
    const rows = vmRowsIn(await http.get('/vms', { search, max: vmsPerPage, follow: vmParts }, doing, signal))
    const fresh = rows.filter(({ id }) => seen.size < seen.add(id).size)
    // Page by page: the engine's rows are twenty times as large as what is kept of them.
    for (const vm of await wholeVms(http, fresh, signal)) {
      // The search compares names without case and takes `*` as a wildcard; ids decide.
      if (vm.disks.some((disk) => disk.domains.includes(domain.id))) vms.push(vm)
    }
    if (rows.length < vmsPerPage || fresh.length === 0) return vms
  }
}

/** The VMs of these references that still exist, by id; one request for up to 100. */
export async function vmsByIds(
  http: Http,
  vms: readonly VmRef[],
  signal: AbortSignal,
): Promise<Map<string, Vm>> {
  const ids = [...new Set(vms.map(({ id }) => id))]
  const found = new Map<string, Vm>()
  for (let first = 0; first < ids.length; first += idsPerRequest) {
    const some = ids.slice(first, first + idsPerRequest)
    const query = { search: some.map((id) => `id=${id}`).join(' or '), max: some.length, follow: vmParts }
    const rows = vmRowsIn(await http.get('/vms', query, `look at ${some.length} VMs`, signal))
    for (const vm of await wholeVms(http, rows, signal)) found.set(vm.id, vm)
  }
  return found
}

/** The VMs that a search finds, however many pages they fill; only their names. */
export async function vmsFound(
  http: Http,
  condition: string,
  doing: string,
  signal: AbortSignal,
): Promise<VmRef[]> {
  const found = new Map<string, VmRef>()
  for (let page = 1; ; page++) {
    const search = `${condition} sortby name page ${page}`.trim()
    const rows = vmRefsIn(await http.get('/vms', { search, max: refsPerPage }, doing, signal))
    const before = found.size
    for (const ref of rows) found.set(ref.id, ref)
    if (rows.length < refsPerPage || found.size === before) return [...found.values()]
  }
}

/** The VMs with these ids or names, or all; some dozens of names in one request. */
export async function vmsNamed(
  http: Http,
  namesOrIds: readonly string[] | 'all',
  signal: AbortSignal,
): Promise<VmRef[]> {
  if (namesOrIds === 'all') return vmsFound(http, '', 'list the VMs', signal)
  const wanted = [...new Set(namesOrIds.map((name) => name.toLowerCase()))].filter((name) =>
    vmName.test(name),
  )
  const found = new Map<string, VmRef>()
  for (let first = 0; first < wanted.length; first += namesPerRequest) {
    const some = wanted.slice(first, first + namesPerRequest)
    const condition = some.map((name) => (uuid.test(name) ? `id=${name}` : `name="${name}"`)).join(' or ')
    for (const ref of await vmsFound(http, condition, `look for ${some.length} VMs by name`, signal)) {
      if (some.includes(ref.id) || some.includes(ref.name.toLowerCase())) found.set(ref.id, ref)
    }
  }
  return [...found.values()]
}

/** All storage domains, each with the state it has inside its data centre. */
export async function domainsOf(http: Http, signal: AbortSignal): Promise<StorageDomain[]> {
  const all = domainsIn(await http.get('/storagedomains', {}, 'list the storage domains', signal))
  const centers = new Set(all.flatMap(({ dataCenterId }) => dataCenterId ?? []))
  const attached = await Promise.all(
    [...centers].map(async (id) => {
      const path = `/datacenters/${encodeURIComponent(id)}/storagedomains`
      return domainsIn(await http.get(path, {}, `list the storage domains of data center ${id}`, signal))
    }),
  )
  const statuses = new Map(attached.flat().map(({ id, status }) => [id, status]))
  return all.map((domain) => {
    // The status in the list of all domains only tells whether one is attached (ovirt.md A3).
    const status = statuses.get(domain.id) ?? domain.status
    return status === undefined ? domain : { ...domain, status }
  })
}

// There is no way to write a quote inside a quoted value (SyntaxChecker): such names are left to the ids.
function conditionFor(name: string): string {
  return /^[\w .-]+$/.test(name) ? `storage.name="${name}" ` : ''
}

async function wholeVms(http: Http, rows: readonly VmRow[], signal: AbortSignal): Promise<Vm[]> {
  const whole: VmRow[] = rows.filter((row) => missingParts(row).length === 0)
  const torn = rows.filter((row) => missingParts(row).length > 0)
  for (let first = 0; first < torn.length; first += extraRequestsAtOnce) {
    const some = torn.slice(first, first + extraRequestsAtOnce)
    const full = await Promise.all(some.map((row) => completed(http, row, signal)))
    whole.push(...full.filter((row) => row !== undefined))
  }
  return whole.map(vmIn)
}

// For engines that do not follow; a VM that went meanwhile is left out.
async function completed(http: Http, row: VmRow, signal: AbortSignal): Promise<VmRow | undefined> {
  const path = `/vms/${encodeURIComponent(row.id)}`
  const doing = `look at VM ${row.id}`
  const full = { ...row }
  try {
    for (const part of missingParts(row)) {
      if (part === 'snapshots') full.snapshots = await http.get(`${path}/snapshots`, {}, doing, signal)
      else {
        const body = await http.get(`${path}/diskattachments`, { follow: 'disk' }, doing, signal)
        full.disk_attachments = await withDisks(body, (id) =>
          http.get(`/disks/${encodeURIComponent(id)}`, {}, `look at disk ${id}`, signal),
        )
      }
    }
    return full
  } catch (error) {
    if (error instanceof EngineError && error.status === 404) return undefined
    throw error
  }
}
