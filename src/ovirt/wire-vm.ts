import { z } from 'zod'
import { oneLine } from '../model/shown.ts'
import type { Disk, Snapshot, Vm, VmRef } from '../model/vm.ts'
import { amount, flag, id, line, list, read, reference, text, word } from './wire.ts'

/** What has to be followed so that one request answers with whole VMs. */
export const vmParts = 'disk_attachments.disk,snapshots'

const statuses = [
  ...['up', 'down', 'paused', 'powering_up', 'powering_down', 'reboot_in_progress', 'migrating'],
  ...['suspended', 'image_locked', 'not_responding', 'saving_state', 'restoring_state', 'wait_for_launch'],
  ...['unassigned', 'unknown'],
] as const satisfies string[]

const disk = z
  .object({
    id,
    name: line.nullish(),
    alias: line.nullish(),
    storage_type: word(['image', 'lun', 'other'], 'other'),
    image_id: line.nullish(),
    shareable: flag.nullish(),
    // A word this version does not know must not pass for a disk that can take part.
    status: word(['ok', 'locked', 'illegal'], 'locked', 'ok'),
    provisioned_size: amount.nullish(),
    storage_domains: list('storage_domain', reference),
    storage_domain: reference.nullish(),
  })
  .transform((found) => ({
    id: found.id,
    name: found.name || found.alias || found.id,
    kind: found.storage_type,
    domains: domainsOf(found),
    ...(found.image_id ? { volume: found.image_id } : {}),
    shareable: found.shareable ?? false,
    status: found.status,
    sizeBytes: found.provisioned_size ?? 0,
  }))

const attachment = z
  .object({ active: flag.nullish(), disk })
  .transform(({ active, disk: found }): Disk => ({ ...found, plugged: active ?? false }))

const snapshot = z
  .object({
    id,
    description: line.nullish(),
    snapshot_type: word(['regular', 'active', 'preview', 'other'], 'other'),
    snapshot_status: word(['ok', 'locked', 'in_preview'], 'locked', 'ok'),
  })
  .transform(
    (found): Snapshot => ({
      id: found.id,
      description: found.description ?? '',
      kind: found.snapshot_type,
      status: found.snapshot_status,
    }),
  )

const attachments = list('disk_attachment', attachment)
const snapshots = list('snapshot', snapshot)

const vm = z
  .object({
    id,
    name: line,
    status: word(statuses, 'unknown'),
    origin: text.nullish(),
    fqdn: text.nullish(),
    guest_operating_system: z.looseObject({}).nullish(),
    cluster: reference.nullish(),
    host: reference.nullish(),
    disk_attachments: attachments,
    snapshots,
  })
  .transform(
    (found): Vm => ({
      id: found.id,
      name: found.name || found.id,
      status: found.status,
      // By origin, not by name: a name can be given to any VM (engine VmActionByVmOriginTypeValidator).
      hostedEngine: ['managed_hosted_engine', 'hosted_engine'].includes(found.origin?.toLowerCase() ?? ''),
      ...(found.cluster ? { clusterId: found.cluster.id } : {}),
      ...(found.host ? { hostId: found.host.id } : {}),
      guestAgent: Boolean(found.fqdn) || Object.keys(found.guest_operating_system ?? {}).length > 0,
      disks: found.disk_attachments,
      snapshots: found.snapshots,
    }),
  )

const row = z.looseObject({
  id,
  disk_attachments: z.unknown().optional(),
  snapshots: z.unknown().optional(),
})

const bareAttachment = z.looseObject({ id, disk: z.looseObject({ id }).nullish() })

/** A VM as the engine lists it, whose parts may not have been sent along. */
export type VmRow = z.output<typeof row>

/** The rows of an answer to /vms. */
export function vmRowsIn(body: unknown): VmRow[] {
  return read(list('vm', row), body, 'list of VMs')
}

const ref = z
  .object({ id, name: line })
  .transform((found): VmRef => ({ id: found.id, name: found.name || found.id }))

/** The VMs of an answer to /vms, only their names. */
export function vmRefsIn(body: unknown): VmRef[] {
  return read(list('vm', ref), body, 'list of VMs')
}

/** The parts of a row that the engine did not send along, by their sub-collection. */
export function missingParts(found: VmRow): ('diskattachments' | 'snapshots')[] {
  return [
    ...(hasWholeDisks(found.disk_attachments) ? [] : (['diskattachments'] as const)),
    ...(isSent(found.snapshots) ? [] : (['snapshots'] as const)),
  ]
}

/** The model of a row that has all its parts. */
export function vmIn(found: VmRow): Vm {
  return read(vm, found, `VM ${typeof found['name'] === 'string' ? oneLine(found['name'], 100) : found.id}`)
}

/** Disk attachments with the disks that were only named filled in. */
export async function withDisks(body: unknown, ask: (diskId: string) => Promise<unknown>): Promise<unknown> {
  const rows = read(list('disk_attachment', bareAttachment), body, 'list of disk attachments')
  const whole = rows.map(async (one) =>
    hasWholeDisk(one) ? one : { ...one, disk: await ask(one.disk?.id ?? one.id) },
  )
  return { disk_attachment: await Promise.all(whole) }
}

function domainsOf(found: {
  storage_domains: { id: string }[]
  storage_domain?: { id: string } | null | undefined
}) {
  const ids = [...found.storage_domains, ...(found.storage_domain ? [found.storage_domain] : [])].map(
    ({ id }) => id,
  )
  return [...new Set(ids)]
}

// What is not followed is left out, or is a mere link.
function isSent(part: unknown): part is Record<string, unknown> {
  return typeof part === 'object' && part !== null && !('href' in part && Object.keys(part).length === 1)
}

function hasWholeDisks(part: unknown): boolean {
  if (!isSent(part)) return false
  const rows = part['disk_attachment'] ?? []
  return Array.isArray(rows) && rows.every((one) => hasWholeDisk(one))
}

function hasWholeDisk(one: unknown): boolean {
  return isSent(one) && isSent(one['disk']) && 'storage_type' in one['disk']
}
