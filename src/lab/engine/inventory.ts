import { addFrame, type GlusterSource } from './inventory/frame.ts'
import type { Ground } from './inventory/ground.ts'
import { addPeople } from './inventory/people.ts'
import { addVm, type DiskDraft, type VmDraft } from './inventory/vms.ts'
import { seededUuid } from './world/ids.ts'
import { World, type WorldOptions } from './world/world.ts'

interface InventoryOptions extends WorldOptions {
  /** Size of each disk; default 64 MiB. */
  diskBytes?: number
  /** Makes every id: the same seed gives the same world. */
  seed?: string
  /** The Gluster server and volume that the storage domain is mounted from. */
  gluster?: GlusterSource
  /** A second one with a domain of its own. */
  second?: GlusterSource & { domainName: string }
  /** Name of the Gluster storage domain; default `vmstore`. */
  domainName?: string
  /** Of all users; default `secret`. */
  password?: string
}

export interface StandardOptions extends InventoryOptions {
  /** Running VMs `vm1`, `vm2`, … with so many disks each; default 2 with 1. */
  vms?: number
  disks?: number
  /** Leave out the VMs beside `vm1…`. */
  onlyPlain?: boolean
  /** Adds a VM `big` that is down, with one disk of this size; 0 or absent: none. */
  bigDiskBytes?: number
  /** Put the hosted engine's disk on the Gluster domain too, as small sites have it. */
  engineOnVolume?: boolean
}

const mib = 1024 * 1024

/**
 * The standard world: N running VMs with D disks each on the Gluster domain, every other one on the second domain if there is
 * one, and then `both` with disks on each; `extra` with two disks; `idle`, which is down; `HostedEngine`; `special`, without a guest agent, with a direct LUN, a shareable, an unplugged and a foreign disk beside a good one.
 * Users: admin, operator, reader and guest, all @internal.
 */
export function standardWorld(options: StandardOptions): World {
  const { vms = 2, disks = 1, onlyPlain = false, engineOnVolume = false, bigDiskBytes = 0 } = options
  const plainOn = (second: DiskDraft): VmDraft[] =>
    Array.from({ length: vms }, (_, index) => ({
      name: `vm${index + 1}`,
      disks: Array.from({ length: disks }, () => (index % 2 === 0 ? {} : second)),
    }))
  const big: VmDraft[] =
    bigDiskBytes > 0 ? [{ name: 'big', status: 'down', disks: [{ sizeBytes: bigDiskBytes }] }] : []
  const drafts = (id: Ground['id']): VmDraft[] => {
    const second = options.second ? { domain: id('domain2') } : {}
    const plain = plainOn(second)
    if (onlyPlain) return plain
    const both: VmDraft[] = options.second ? [{ name: 'both', disks: [{}, second] }] : []
    return [...plain, ...both, ...others(id, engineOnVolume), ...big]
  }
  return worldOf(drafts, options)
}

/** A world with the usual frame and these VMs; `id` tells the ids of named things, such as `domain-nfs`. */
export function worldOf(vms: (id: Ground['id']) => VmDraft[], options: InventoryOptions): World {
  const { seed = 'lab', diskBytes = 64 * mib, password = 'secret', domainName = 'vmstore' } = options
  const world = new World(options)
  const id = (name: string) => seededUuid(seed, name)
  const ground: Ground = { world, id, now: world.clock.now(), diskBytes }
  const gluster = options.gluster ?? { address: 'gluster1.example.com', volume: 'vmstore' }
  addFrame(ground, { gluster, domainName, second: options.second })
  addPeople(ground, password)
  for (const draft of vms(id)) addVm(ground, draft)
  return world
}

function others(id: Ground['id'], engineOnVolume: boolean): VmDraft[] {
  const engineDisk = engineOnVolume ? {} : { domain: id('domain-hosted') }
  return [
    { name: 'extra', disks: [{}, {}] },
    { name: 'idle', status: 'down', disks: [{}] },
    { name: 'HostedEngine', origin: 'managed_hosted_engine', disks: [engineDisk] },
    {
      name: 'special',
      guestAgent: false,
      disks: [
        {},
        { alias: 'special_lun', storageType: 'lun' },
        { alias: 'special_shared', shareable: true },
        { alias: 'special_unplugged', plugged: false },
        { alias: 'special_foreign', domain: id('domain-nfs') },
      ],
    },
  ]
}
