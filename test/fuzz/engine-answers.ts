/** Answers of an engine in its own spelling, to be spoilt. */
export const ids = {
  vm: '5d000000-0000-4000-8000-000000000001',
  disk: '5d000000-0000-4000-8000-000000000002',
  volume: '5d000000-0000-4000-8000-000000000003',
  domain: '5d000000-0000-4000-8000-000000000004',
  center: '5d000000-0000-4000-8000-000000000005',
  overlay: '5d000000-0000-4000-8000-000000000006',
}

const disk = {
  id: ids.disk,
  name: 'web_Disk1',
  alias: 'web_Disk1',
  storage_type: 'image',
  image_id: ids.volume,
  shareable: 'false',
  status: 'ok',
  provisioned_size: '10737418240',
  storage_domains: { storage_domain: [{ id: ids.domain }] },
}

export const attachments = {
  disk_attachment: [
    { id: ids.disk, active: 'true', disk },
    { id: ids.volume, active: 'true', disk: { id: ids.volume, href: '/ovirt-engine/api/disks/x' } },
  ],
}

export const vms = {
  vm: [
    {
      id: ids.vm,
      name: 'web',
      status: 'up',
      origin: 'ovirt',
      fqdn: 'web.example.com',
      guest_operating_system: { family: 'Linux' },
      cluster: { id: ids.center },
      disk_attachments: { disk_attachment: [{ id: ids.disk, active: 'true', disk }] },
      snapshots: {
        snapshot: [
          { id: ids.overlay, description: 'Active VM', snapshot_type: 'active' },
          { id: ids.volume, description: 'before', snapshot_type: 'regular', snapshot_status: 'in_preview' },
        ],
      },
    },
    { id: ids.disk, name: 'HostedEngine', status: 'up', origin: 'managed_hosted_engine' },
  ],
}

export const tags = {
  tag: [
    { id: ids.vm, name: 'vmbackup-gold', description: '', parent: { id: ids.disk } },
    { id: ids.disk, name: 'root', description: 'root' },
  ],
}

export const domains = {
  storage_domain: [
    {
      id: ids.domain,
      name: 'vmstore',
      storage: { type: 'glusterfs', address: 'gp1', path: '/data', vfs_type: 'glusterfs' },
      status: 'active',
      data_centers: { data_center: [{ id: ids.center }] },
    },
  ],
}

export const jobs = {
  job: [{ id: ids.vm, description: 'Creating VM Snapshot', status: 'started', external: 'false' }],
}

export const events = {
  event: [
    {
      id: '4711',
      code: '10767',
      severity: 'normal',
      description: 'Guest frozen',
      correlation_id: 'vmb-20261121T010000Z-00000001-3',
      time: 1_795_222_800_000,
      vm: { id: ids.vm },
    },
    { id: 4712, code: 32, severity: 'error', description: 'x', time: '2026-11-21T01:00:00.000Z' },
  ],
}

export const action = { job: { id: ids.vm, href: '/x' }, status: 'complete' }

export const root = {
  product_info: {
    name: 'oVirt Engine',
    version: { major: '4', minor: '5', build: '6', full_version: '4.5.6-1.el8' },
  },
}

export const fault = {
  fault: { reason: 'Operation Failed', detail: '[Cannot add snapshot. Disk is locked.]' },
  status: 'failed',
}

export const page =
  '<html><head><title>502 Proxy</title><style>x{}</style></head><body><p>Sorry</p></body></html>'
