import { vmIn, vmRowsIn } from '../../src/ovirt/wire-vm.ts'

export const disk = {
  id: 'd1',
  alias: 'web1_Disk1',
  name: 'web1_Disk1',
  storage_type: 'image',
  image_id: 'v1',
  provisioned_size: '10737418240',
  shareable: 'false',
  status: 'ok',
  storage_domains: { storage_domain: [{ href: '/x', id: 'sd1' }] },
}
export const vm = {
  id: 'vm1',
  name: 'web1',
  status: 'up',
  origin: 'ovirt',
  fqdn: 'web1.test',
  cluster: { href: '/c', id: 'c1' },
  disk_attachments: { disk_attachment: [{ id: 'd1', active: 'true', interface: 'virtio_scsi', disk }] },
  snapshots: {
    snapshot: [
      {
        id: 's1',
        description: 'Active VM',
        snapshot_type: 'active',
        snapshot_status: 'ok',
        date: 1665068704884,
      },
    ],
  },
}
export const vmsOf = (...rows: object[]) => vmRowsIn({ vm: rows }).map(vmIn)
export const withDisk = (changes: object) =>
  vmsOf({
    ...vm,
    disk_attachments: { disk_attachment: [{ active: true, disk: { ...disk, ...changes } }] },
  })[0]?.disks[0]
