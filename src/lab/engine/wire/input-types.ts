/** How one field of an input type is read; `any` fields are known to the API and ignored by this engine. */
export type Field =
  | { kind: 'string' | 'int' | 'bool' | 'date' | 'any' }
  | { kind: 'object'; type: string }
  | { kind: 'list'; type: string; each: string }

export type InputType = Readonly<Record<string, Field>>

const names = (text: string) => text.split(/\s+/).filter((name) => name !== '')
const all = (kind: 'string' | 'int' | 'bool' | 'date' | 'any', text: string): InputType =>
  Object.fromEntries(names(text).map((name) => [name, { kind }]))
const object = (type: string): Field => ({ kind: 'object', type })
const list = (type: string, each = type): Field => ({ kind: 'list', type, each })

const identified: InputType = {
  ...all('string', 'id name description comment href'),
  ...all('any', 'link actions'),
}

const vm: InputType = {
  ...identified,
  ...all(
    'any',
    `type memory cpu cpu_shares bios os creation_time origin stateless delete_protected high_availability display sso
    rng_device console domain usb soundcard_enabled tunnel_migration migration_downtime virtio_scsi serial_number
    start_paused migration io custom_properties custom_emulated_machine custom_cpu_model time_zone small_icon large_icon
    initialization memory_policy custom_compatibility_version cluster storage_domain cpu_profile quota lease
    storage_error_resume_behaviour placement_policy multi_queues_enabled virtio_scsi_multi_queues_enabled
    virtio_scsi_multi_queues tpm_enabled auto_pinning_policy cpu_pinning_policy status status_detail stop_reason
    start_time stop_time run_once payloads fqdn use_latest_template_version next_run_configuration_exists
    numa_tune_mode guest_time_zone guest_operating_system has_illegal_images host template original_template
    instance_type nics snapshots vm_pool cdroms floppies reported_devices watchdogs permissions
    external_host_provider affinity_labels applications graphics_consoles host_devices katello_errata numa_nodes
    sessions statistics tags dynamic_cpu mediated_devices`,
  ),
}

const reference: InputType = {
  ...identified,
  ...all('string', 'external_status'),
  ...all('any', 'type status'),
}

/** The input types of the methods served, by the API model's names (what it knows, not only what is used here). */
export const inputTypes: Readonly<Record<string, InputType>> = {
  snapshot: {
    ...vm,
    ...all('any', 'date snapshot_status snapshot_type vm disks'),
    ...all('bool', 'persist_memorystate'),
    disk_attachments: list('disk_attachment'),
  },
  disk_attachment: {
    ...identified,
    ...all('bool', 'active bootable'),
    ...all('any', 'interface logical_name pass_discard read_only uses_scsi_reservation template vm'),
    disk: object('disk'),
  },
  disk: {
    ...identified,
    ...all('string', 'image_id'),
    ...all(
      'any',
      `alias provisioned_size initial_size actual_size total_size status format qcow_version sparse bootable shareable
      wipe_after_delete propagate_errors active backup backup_mode read_only lun_storage sgio uses_scsi_reservation
      storage_type logical_name content_type storage_domain storage_domains quota disk_profile snapshot interface
      openstack_volume_type permissions disk_snapshots statistics external_disk template instance_type vms vm`,
    ),
  },
  event: {
    ...identified,
    ...all('string', 'severity origin correlation_id custom_data'),
    ...all('int', 'custom_id flood_rate code index'),
    ...all('date', 'time'),
    ...all('any', 'log_on_host'),
    user: object('reference'),
    vm: object('reference'),
    storage_domain: object('reference'),
    host: object('reference'),
    template: object('reference'),
    cluster: object('reference'),
    data_center: object('reference'),
  },
  job: {
    ...identified,
    ...all('bool', 'auto_cleared external'),
    ...all('any', 'status start_time end_time last_updated owner steps'),
  },
  step: {
    ...identified,
    ...all('string', 'type'),
    ...all(
      'any',
      'number status start_time end_time external external_type job statistics progress execution_host',
    ),
    parent_step: object('reference'),
  },
  tag: {
    ...identified,
    ...all('any', 'host vm user group template'),
    parent: object('reference'),
  },
  action: {
    ...identified,
    ...all('bool', 'async force succeeded'),
    ...all('string', 'status reason'),
    ...all(
      'any',
      `grace_period job fault vm host disk disks snapshot storage_domain cluster pause use_cloud_init use_ignition
      use_sysprep use_initialization volatile_ authorized_key filter maintenance_enabled restore_memory ticket
      all_content correlation_id lease discard_snapshots next_run storage_domains template`,
    ),
  },
  reference,
}
