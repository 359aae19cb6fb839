import { actionsOf, type Element, linksOf, refTo } from '../wire/element.ts'
import type { Disk, Snapshot, Vm, Volume } from '../world/entities.ts'

const diskActions = ['reduce', 'sparsify', 'copy', 'export', 'move', 'refreshlun', 'convert']

/** A disk; its `image_id` is the active volume, as the database has it. */
export function diskElement(disk: Disk): Element {
  const href = `/disks/${disk.id}`
  return {
    actions: actionsOf(href, diskActions),
    ...common(disk),
    link: linksOf(href, ['permissions', 'disksnapshots', 'statistics']),
    ...(disk.storageType === 'lun' ? lunFields(disk) : imageFields(disk, disk.volumes.at(-1))),
    href,
    id: disk.id,
  }
}

/** A disk as a snapshot's configuration keeps it: `image_id` is the volume frozen by the snapshot. */
export function snapshotDiskElement(vm: Vm, snapshot: Snapshot, disk: Disk): Element {
  const volume = disk.volumes.find(({ id }) => id === snapshot.disks.get(disk.id))
  return {
    ...common(disk),
    ...imageFields(disk, volume),
    snapshot: refTo(`/vms/${vm.id}/snapshots`, snapshot.id),
    href: `/vms/${vm.id}/snapshots/${snapshot.id}/disks/${disk.id}`,
    id: disk.id,
  }
}

/** One volume: its id is the volume's, its parent the volume under it. `under` is the resource it is listed in. */
export function diskSnapshotElement(disk: Disk, volume: Volume, under: string): Element {
  const href = `${under}/disksnapshots`
  const { image_id: _, ...image } = imageFields(disk, volume)
  return {
    ...common(disk),
    ...image,
    status: disk.status === 'locked' ? 'locked' : volume.status,
    disk: refTo('/disks', disk.id),
    ...(volume.parent === undefined ? {} : { parent: refTo(href, volume.parent) }),
    ...(under.startsWith('/storagedomains') && disk.domain !== undefined
      ? { storage_domain: refTo('/storagedomains', disk.domain) }
      : {}),
    href: `${href}/${volume.id}`,
    id: volume.id,
  }
}

function common(disk: Disk): Element {
  return {
    name: disk.alias,
    description: disk.description,
    alias: disk.alias,
    content_type: disk.contentType,
    propagate_errors: false,
    shareable: disk.shareable,
    storage_type: disk.storageType,
    wipe_after_delete: false,
  }
}

function imageFields(disk: Disk, volume: Volume | undefined): Element {
  return {
    ...(volume === undefined ? {} : volumeFields(disk, volume)),
    backup: 'none',
    provisioned_size: disk.sizeBytes,
    total_size: disk.volumes.reduce((sum, { allocatedBytes }) => sum + allocatedBytes, 0),
    sparse: true,
    status: disk.status === 'ok' && volume?.status === 'illegal' ? 'illegal' : disk.status,
    storage_domains: {
      storage_domain: disk.domain === undefined ? [] : [refTo('/storagedomains', disk.domain)],
    },
  }
}

function volumeFields(disk: Disk, volume: Volume): Element {
  const vm = [...disk.vms][0]
  return {
    actual_size: volume.allocatedBytes,
    format: volume.format,
    ...(volume.format === 'cow' ? { qcow_version: 'qcow2_v3' } : {}),
    image_id: volume.id,
    ...(volume.snapshot === undefined || vm === undefined
      ? {}
      : { snapshot: refTo(`/vms/${vm}/snapshots`, volume.snapshot) }),
  }
}

function lunFields(disk: Disk): Element {
  const { lun } = disk
  const unit: Element = {
    id: lun?.id,
    address: lun?.address,
    target: lun?.target,
    port: 3260,
    portal: `${lun?.address ?? ''}:3260,1`,
    size: disk.sizeBytes,
    paths: 1,
  }
  return {
    status: 'ok',
    lun_storage: { type: 'iscsi', logical_units: { logical_unit: [unit] }, id: lun?.id },
  }
}
