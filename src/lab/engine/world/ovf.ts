import { XMLBuilder } from 'fast-xml-parser'
import { disksOf } from './disk-state.ts'
import type { Disk, Snapshot, Vm, Volume } from './entities.ts'
import { zeroId } from './ids.ts'
import type { World } from './world.ts'

interface Node {
  [name: string]: string | number | Node | Node[]
}

const builder = new XMLBuilder({
  ignoreAttributes: false,
  attributeNamePrefix: '@',
  suppressBooleanAttributes: false,
})
const gib = 1024 ** 3

/**
 * The VM's OVF document as the engine writes it to the OVF_STORE: every volume of every image in clear, and each
 * snapshot with a base64 copy of the configuration kept with it.
 */
export function ovfOf(world: World, vm: Vm): string {
  return envelope(
    world,
    vm,
    imagesWithVolumes(world, vm),
    vm.snapshots.map((each) => snapshotNode(world, vm, each)),
  )
}

interface Image {
  disk: Disk
  volumes: readonly Volume[]
}

function imagesWithVolumes(world: World, vm: Vm): Image[] {
  return disksOf(world, vm)
    .filter(({ disk }) => disk.storageType === 'image' && !disk.shareable)
    .map(({ disk }) => ({ disk, volumes: disk.volumes }))
}

function snapshotNode(world: World, vm: Vm, snapshot: Snapshot): Node {
  const node: Node = {
    '@ovf:id': snapshot.id,
    Type: snapshot.type.toUpperCase(),
    Description: snapshot.description,
    CreationDate: date(snapshot.date),
  }
  if (snapshot.type !== 'regular') return node
  const images = imagesWithVolumes(world, vm).flatMap(({ disk }) => {
    const volumes = disk.volumes.filter(({ id }) => id === snapshot.disks.get(disk.id))
    return volumes.length === 0 ? [] : [{ disk, volumes }]
  })
  return { ...node, VmConfiguration: Buffer.from(envelope(world, vm, images, [])).toString('base64') }
}

function envelope(world: World, vm: Vm, images: readonly Image[], snapshots: Node[]): string {
  const cluster = world.clusters.get(vm.cluster)
  const all = images.flatMap(({ disk, volumes }) => volumes.map((volume) => ({ disk, volume })))
  const document: Node = {
    'ovf:Envelope': {
      '@xmlns:ovf': 'http://schemas.dmtf.org/ovf/envelope/1/',
      '@xmlns:rasd': 'http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_ResourceAllocationSettingData',
      '@xmlns:vssd': 'http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_VirtualSystemSettingData',
      '@xmlns:xsi': 'http://www.w3.org/2001/XMLSchema-instance',
      '@ovf:version': '4.4.0.0',
      References: { File: all.map(({ disk, volume }) => fileNode(disk, volume)) },
      Section: {
        '@xsi:type': 'ovf:DiskSection_Type',
        Info: 'Virtual disks',
        Disk: all.map(({ disk, volume }) => diskNode(vm, disk, volume)),
      },
      Content: {
        '@ovf:id': 'out',
        '@xsi:type': 'ovf:VirtualSystem_Type',
        Name: vm.name,
        Description: vm.description,
        CreationDate: date(vm.created),
        Origin: 3,
        Generation: vm.generation,
        ClusterName: cluster?.name ?? '',
        TemplateId: zeroId,
        TemplateName: 'Blank',
        IsStateless: String(vm.stateless),
        AutoStartup: String(vm.highlyAvailable),
        Priority: vm.haPriority,
        Section: [
          {
            '@ovf:id': vm.id,
            '@ovf:required': 'false',
            '@xsi:type': 'ovf:OperatingSystemSection_Type',
            Info: 'Guest',
            Description: 'other',
          },
          {
            '@xsi:type': 'ovf:VirtualHardwareSection_Type',
            Info: 'Hardware',
            Item: images.flatMap((image) => itemNode(vm, image)),
          },
          { '@xsi:type': 'ovf:SnapshotsSection_Type', Snapshot: snapshots },
        ],
      },
    },
  }
  const xml: string = builder.build(document)
  return `<?xml version="1.0" encoding="UTF-8"?>${xml}`
}

function fileNode(disk: Disk, volume: Volume): Node {
  return {
    '@ovf:href': `${disk.id}/${volume.id}`,
    '@ovf:id': volume.id,
    '@ovf:size': disk.sizeBytes,
    '@ovf:description': disk.description,
    '@ovf:disk_storage_type': 'IMAGE',
  }
}

function diskNode(vm: Vm, disk: Disk, volume: Volume): Node {
  const attachment = vm.attachments.get(disk.id)
  return {
    '@ovf:diskId': volume.id,
    '@ovf:size': Math.ceil(disk.sizeBytes / gib),
    '@ovf:actual_size': Math.ceil(volume.allocatedBytes / gib),
    '@ovf:vm_snapshot_id': volume.snapshot ?? zeroId,
    '@ovf:parentRef': volume.parent === undefined ? '' : `${disk.id}/${volume.parent}`,
    '@ovf:fileRef': `${disk.id}/${volume.id}`,
    '@ovf:format': 'http://www.gnome.org/~markmc/qcow-image-format.html',
    '@ovf:volume-format': volume.format === 'cow' ? 'COW' : 'RAW',
    '@ovf:volume-type': 'Sparse',
    '@ovf:disk-interface': 'VirtIO_SCSI',
    '@ovf:boot': String(attachment?.bootable ?? false),
    '@ovf:disk-alias': disk.alias,
    '@ovf:disk-description': disk.description,
    '@ovf:wipe-after-delete': 'false',
  }
}

function itemNode(vm: Vm, { disk, volumes }: Image): Node[] {
  const active = volumes.at(-1)
  if (active === undefined) return []
  return [
    {
      'rasd:Caption': disk.alias,
      'rasd:InstanceId': active.id,
      'rasd:ResourceType': 17,
      'rasd:HostResource': `${disk.id}/${active.id}`,
      'rasd:Parent': active.parent ?? zeroId,
      'rasd:Template': zeroId,
      'rasd:StorageId': disk.domain ?? zeroId,
      Type: 'disk',
      Device: 'disk',
      IsPlugged: String(vm.attachments.get(disk.id)?.plugged ?? false),
    },
  ]
}

/** `2026/01/31 12:00:00`, the engine's own format for OVF. */
function date(at: Date): string {
  return at.toISOString().slice(0, 19).replaceAll('-', '/').replace('T', ' ')
}
