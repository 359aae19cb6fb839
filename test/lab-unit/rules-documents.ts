export const domain = '5c7cdbc2-c4a3-43c2-9d90-6a9d8b9b2a5e'
export const other = '6c7cdbc2-c4a3-43c2-9d90-6a9d8b9b2a5e'
export const vm = 'c0000000-0000-4000-8000-000000000001'
export const raw = {
  image: 'a0000000-0000-4000-8000-000000000001',
  volume: 'b0000000-0000-4000-8000-000000000001',
}
export const cow = {
  image: 'a0000000-0000-4000-8000-000000000002',
  volume: 'b0000000-0000-4000-8000-000000000002',
}
export const overlay = 'b0000000-0000-4000-8000-000000000009'
export const stores = ['d', 'e'].map((digit) => ({
  image: `${digit}0000000-0000-4000-8000-000000000001`,
  volume: `${digit}0000000-0000-4000-8000-000000000002`,
}))

interface Named {
  image: string
  volume: string
  snapshot?: string
  storage?: string
}

/** The VM's document: the raw disk with this active volume, the qcow2 disk, and more. */
export function document(active: string, ...more: Named[]): string {
  const disks: Named[] = [{ image: raw.image, volume: active }, cow, ...more]
  const rows = disks.map(
    ({ image, volume, snapshot = 'now' }) =>
      `<Disk ovf:diskId="${volume}" ovf:fileRef="${image}/${volume}" ovf:vm_snapshot_id="${snapshot}"/>`,
  )
  const items = disks.map(
    ({ image, volume, storage: at = domain }) =>
      `<Item><rasd:HostResource>${image}/${volume}</rasd:HostResource><rasd:StorageId>${at}</rasd:StorageId></Item>`,
  )
  const snapshots = '<Snapshot ovf:id="now"><Type>ACTIVE</Type></Snapshot>'
  const content = `<Content ovf:id="out"><Name>web</Name><Section>${items.join('')}</Section><Section>${snapshots}</Section></Content>`
  return `<?xml version="1.0"?><ovf:Envelope xmlns:ovf="o" xmlns:rasd="r"><Section>${rows.join('')}</Section>${content}</ovf:Envelope>`
}
