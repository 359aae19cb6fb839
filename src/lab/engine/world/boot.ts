import pLimit from 'p-limit'
import { activeVolume, refreshSizes } from './disk-state.ts'
import type { Disk } from './entities.ts'
import { tickOvfTimer, writeOvfStores } from './ovf-store.ts'
import { specOf } from './vm-life.ts'
import type { World } from './world.ts'

const atOnce = 16

/** Makes at the host what the world describes: its domains, their volumes and OVF_STOREs; starts the VMs that run. */
export async function boot(world: World): Promise<void> {
  const domains = world.hostDomains.flatMap((id) => world.domains.get(id) ?? [])
  for (const { id, name, dataCenter: pool, storage } of domains) {
    const source = `${storage.address}:${storage.path}`
    if (pool !== undefined) await world.host.createDomain({ id, pool, description: name, source })
  }
  const limit = pLimit(atOnce)
  const disks = [...world.disks.values()].filter((disk) => world.isOnHost(disk))
  await limit.map(disks, (disk) => createDisk(world, disk))
  const running = [...world.vms.values()].filter((vm) => vm.status === 'up')
  await limit.map(running, (vm) => world.host.start(specOf(world, vm)))
  for (const domain of domains) await writeOvfStores(world, domain)
  const every = world.settings.ovfEveryMs
  if (every !== undefined) void world.background(() => updateRegularly(world, every))
}

async function createDisk(world: World, disk: Disk): Promise<void> {
  const { id: volume, format } = activeVolume(disk)
  const { domain } = disk
  if (disk.contentType === 'ovf_store') await world.host.createOvfStore({ domain, image: disk.id, volume })
  else
    await world.host.createVolume({
      domain,
      image: disk.id,
      volume,
      sizeBytes: disk.sizeBytes,
      format,
      alias: disk.alias,
    })
  await refreshSizes(world, disk)
}

async function updateRegularly(world: World, everyMs: number): Promise<void> {
  for (;;) {
    await world.sleep(everyMs)
    await tickOvfTimer(world)
  }
}
