import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { nodeDir } from './directory.ts'
import { runIn, spawnIn } from './nodes.ts'
import { glusterNodes, type LabNode, type LabOptions, pairsOf } from './plan.ts'
import { until } from './until.ts'

/** Starts glusterd and sshd of a node; returns when both answer. */
export async function startDaemons(options: LabOptions, { name }: LabNode): Promise<void> {
  const log = join(nodeDir(options.name, name), 'daemons.log')
  await spawnIn(options, name, ['/usr/sbin/sshd', '-E', '/var/log/glusterfs/sshd.log'], log)
  await spawnIn(options, name, ['glusterd', '-p', '/run/glusterd.pid'], log)
  await until(`glusterd on ${name}`, 60_000, () => succeeds(gluster(options, name, 'volume', 'list')))
  await until(`sshd on ${name}`, 60_000, () =>
    succeeds(runIn(options, name, ['test', '-s', '/run/sshd.pid'])),
  )
}

/** Joins the site's nodes into one cluster. */
export async function joinPeers(options: LabOptions, nodes: LabNode[]): Promise<void> {
  const [first, ...others] = nodes
  if (first === undefined || others.length === 0) return
  for (const { name } of others) await gluster(options, first.name, 'peer', 'probe', name)
  await until('all peers to be connected', 60_000, async () => {
    const list = await Promise.all(nodes.map(({ name }) => gluster(options, name, 'pool', 'list')))
    return list.every((text) => text.match(/\bConnected\b/g)?.length === nodes.length)
  })
}

/** Creates and starts a site's volumes with the options that oVirt sets, as far as its layout takes them. */
export async function makeVolumes(options: LabOptions, site: 'primary' | 'secondary'): Promise<void> {
  // One after the other: a glusterd does one thing at a time, and refuses the next meanwhile.
  for (const pair of pairsOf(options)) await makeVolume(options, site, pair[site])
}

async function makeVolume(options: LabOptions, site: 'primary' | 'secondary', volume: string): Promise<void> {
  const nodes = glusterNodes(options.layout, site)
  const [first] = nodes
  if (first === undefined) throw new Error(`no node at the ${site} site`)
  const bricks = nodes.map(({ name }) => `${name}:/bricks/${volume}`)
  const replica = nodes.length > 1 ? ['replica', String(nodes.length)] : []
  await gluster(options, first.name, 'volume', 'create', volume, ...replica, ...bricks, 'force')
  const group = await readFile(
    join(nodeDir(options.name, first.name), 'var/lib/glusterd/groups/virt'),
    'utf8',
  )
  const settings = volumeOptions(group, { shard: options.shard, replicated: nodes.length > 1 })
  await gluster(options, first.name, 'volume', 'set', volume, ...settings.flat())
  await gluster(options, first.name, 'volume', 'start', volume)
  await until(`the bricks of ${volume}`, 60_000, async () => {
    const status = await gluster(options, first.name, 'volume', 'status', volume, '--xml')
    const online = status.match(/<path>\/bricks\/[^<]*<\/path>[^<]*<peerid>[^<]*<\/peerid>\s*<status>1</g)
    return online?.length === nodes.length
  })
}

/** The options of Gluster's group "virt" for a layout, and what oVirt and the lab add. */
export function volumeOptions(
  group: string,
  { shard, replicated }: { shard: boolean; replicated: boolean },
): [string, string][] {
  const virt = group
    .split('\n')
    .map((line) => line.trim().split('='))
    .filter((pair): pair is [string, string] => pair.length === 2)
    // A volume without replicas refuses options of replication, and then the whole command.
    .filter(([key]) => replicated || !key.startsWith('cluster.'))
    .filter(([key]) => key !== 'features.shard' && key !== 'performance.stat-prefetch')
  const settings = new Map(virt)
  settings.set('features.shard', shard ? 'on' : 'off')
  // The smallest: the lab's disks are small, and shall have many shards all the same.
  settings.set('features.shard-block-size', '4MB')
  settings.set('storage.owner-uid', '36').set('storage.owner-gid', '36')
  // Parallel first writes to a shard without replicas record a wrong gfid in the changelog: the shard never arrives.
  if (shard && !replicated) settings.set('performance.io-thread-count', '1')
  return [...settings]
}

/** One gluster command on a node. */
export function gluster(options: LabOptions, node: string, ...words: string[]): Promise<string> {
  return runIn(options, node, ['gluster', '--mode=script', ...words])
}

async function succeeds(work: Promise<unknown>): Promise<boolean> {
  return work.then(
    () => true,
    () => false,
  )
}
