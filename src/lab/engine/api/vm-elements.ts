import { actionsOf, type Element, linksOf, refTo } from '../wire/element.ts'
import { hasIllegalImages } from '../world/disk-state.ts'
import type { Attachment, Snapshot, Vm } from '../world/entities.ts'
import { zeroId } from '../world/ids.ts'
import type { World } from '../world/world.ts'

const vmActions = [
  'detach',
  'shutdown',
  'start',
  'stop',
  'suspend',
  'reset',
  'ticket',
  'migrate',
  'reboot',
  'commitsnapshot',
  'clone',
  'freezefilesystems',
  'logon',
  'maintenance',
  'previewsnapshot',
  'reordermacaddresses',
  'thawfilesystems',
  'undosnapshot',
  'cancelmigration',
  'export',
]
const vmLinks = [
  'graphicsconsoles',
  'cdroms',
  'watchdogs',
  'diskattachments',
  'snapshots',
  'applications',
  'hostdevices',
  'reporteddevices',
  'sessions',
  'backups',
  'checkpoints',
  'nics',
  'numanodes',
  'katelloerrata',
  'permissions',
  'affinitylabels',
  'tags',
  'statistics',
]

/** A VM as the API shows it. */
export function vmElement(world: World, vm: Vm): Element {
  const href = `/vms/${vm.id}`
  return {
    actions: actionsOf(href, vmActions),
    name: vm.name,
    description: vm.description,
    comment: '',
    link: linksOf(href, vmLinks),
    ...configuration(vm),
    ...guestFields(vm),
    has_illegal_images: hasIllegalImages(world, vm),
    next_run_configuration_exists: false,
    ...(vm.host === undefined ? {} : { host: refTo('/hosts', vm.host) }),
    ...(vm.started === undefined || vm.status === 'down' ? {} : { start_time: vm.started }),
    status: vm.status,
    stop_reason: '',
    ...(vm.stopped === undefined ? {} : { stop_time: vm.stopped }),
    original_template: refTo('/templates', zeroId),
    template: refTo('/templates', zeroId),
    href,
    id: vm.id,
  }
}

function configuration(vm: Vm): Element {
  return {
    bios: { boot_menu: { enabled: false }, type: 'q35_sea_bios' },
    cpu: { architecture: 'x86_64', topology: { cores: 1, sockets: 1, threads: 1 } },
    cpu_shares: 0,
    creation_time: vm.created,
    delete_protected: false,
    display: {
      allow_override: false,
      copy_paste_enabled: true,
      disconnect_action: 'LOCK_SCREEN',
      file_transfer_enabled: true,
      monitors: 1,
      smartcard_enabled: false,
      type: 'vnc',
    },
    high_availability: { enabled: vm.highlyAvailable, priority: vm.haPriority },
    io: { threads: 1 },
    memory: vm.memoryBytes,
    memory_policy: { ballooning: true, guaranteed: vm.memoryBytes, max: vm.memoryBytes * 4 },
    migration_downtime: -1,
    multi_queues_enabled: true,
    origin: vm.origin,
    migration: { auto_converge: 'inherit', compressed: 'inherit', encrypted: 'inherit' },
    os: { boot: { devices: { device: ['hd'] } }, type: 'other' },
    placement_policy: { affinity: 'migratable' },
    sso: { methods: { method: [{ id: 'guest_agent' }] } },
    start_paused: false,
    stateless: vm.stateless,
    storage_error_resume_behaviour: 'auto_resume',
    time_zone: { name: 'Etc/GMT' },
    type: 'server',
    usb: { enabled: false },
    cluster: refTo('/clusters', vm.cluster),
  }
}

/** What a guest agent reports; absent without one. */
function guestFields(vm: Vm): Element {
  if (!vm.guestAgent || vm.status === 'down') return {}
  return {
    fqdn: `${vm.name}.example.com`,
    guest_operating_system: { architecture: 'x86_64', distribution: 'Debian GNU/Linux', family: 'Linux' },
    guest_time_zone: { name: 'UTC', utc_offset: '+00:00' },
  }
}

/** A disk's attachment to a VM; its id is the disk's. */
export function attachmentElement(vm: Vm, attachment: Attachment): Element {
  const id = attachment.disk
  return {
    active: attachment.plugged,
    bootable: attachment.bootable,
    interface: 'virtio_scsi',
    pass_discard: false,
    read_only: attachment.readOnly,
    uses_scsi_reservation: false,
    disk: refTo('/disks', id),
    vm: refTo('/vms', vm.id),
    href: `/vms/${vm.id}/diskattachments/${id}`,
    id,
  }
}

/** A snapshot; the active one has no links and no VM of its own. */
export function snapshotElement(vm: Vm, snapshot: Snapshot): Element {
  const href = `/vms/${vm.id}/snapshots/${snapshot.id}`
  const own =
    snapshot.type === 'active'
      ? { link: [] }
      : {
          link: linksOf(href, ['cdroms', 'disks', 'nics']),
          vm: { ...configuration(vm), name: vm.name, ...refTo('/vms', vm.id) },
        }
  return {
    actions: actionsOf(href, ['restore']),
    description: snapshot.description,
    date: snapshot.date,
    persist_memorystate: snapshot.memory,
    snapshot_status: snapshot.status,
    snapshot_type: snapshot.type,
    ...own,
    href,
    id: snapshot.id,
  }
}
