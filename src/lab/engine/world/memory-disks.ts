import { randomUUID } from 'node:crypto'
import type { Disk, Snapshot, Vm } from './entities.ts'
import type { World } from './world.ts'

/** The floating disks that hold a snapshot's memory; they exist in the database only. */
export function addMemoryDisks(world: World, vm: Vm, snapshot: Snapshot): void {
  const first = [...vm.attachments.keys()].map((id) => world.disks.get(id)).find((disk) => disk?.domain)
  for (const contentType of ['memory_dump_volume', 'memory_metadata_volume'] as const) {
    const disk: Disk = {
      id: randomUUID(),
      alias: contentType === 'memory_dump_volume' ? 'snapshot_memory' : 'snapshot_metadata',
      description: `Memory snapshot disk for snapshot '${snapshot.description}' of VM '${vm.name}' (VM ID: '${vm.id}')`,
      storageType: 'image',
      contentType,
      sizeBytes: contentType === 'memory_dump_volume' ? vm.memoryBytes : 10_240,
      domain: first?.domain,
      shareable: false,
      status: 'ok',
      volumes: [],
      vms: new Set(),
    }
    disk.volumes.push({
      id: randomUUID(),
      format: 'raw',
      parent: undefined,
      snapshot: snapshot.id,
      status: 'ok',
      created: snapshot.date,
      allocatedBytes: disk.sizeBytes,
    })
    world.disks.set(disk.id, disk)
  }
}

/** Forgets the memory of a removed snapshot. */
export function removeMemoryDisks(world: World, snapshot: Snapshot): void {
  if (!snapshot.memory) return
  for (const disk of world.disks.values()) {
    if (disk.contentType.startsWith('memory_') && disk.volumes[0]?.snapshot === snapshot.id) {
      world.disks.delete(disk.id)
    }
  }
}
