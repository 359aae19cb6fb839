import { join } from 'node:path'
import { labDir, readRecord } from './directory.ts'
import { engineAccess } from './engine-process.ts'
import { nodeInit } from './nodes.ts'
import { glusterNodes, nodesOf, pairsOf } from './plan.ts'
import { isRunning } from './processes.ts'

const launcher = join(import.meta.dirname, '../../../scripts/lab')

export type LabStatus = Awaited<ReturnType<typeof statusOf>>

/** What scripts and tests need of a lab; `state` is up, starting, broken (something of it has ended) or down. */
export async function statusOf(name: string) {
  const record = await readRecord(name)
  if (record === undefined) return { name, state: 'down' as const }
  const { options } = record
  const nodes = await Promise.all(
    nodesOf(options.layout).map(async (node) => {
      const init = await nodeInit(name, node.name)
      const running = init !== undefined && (await isRunning(init))
      return { name: node.name, ip: node.ip, ...(running ? { pid: init.pid } : {}) }
    }),
  )
  const pairs = pairsOf(options)
  const [first = { primary: '', secondary: '' }] = pairs
  const primary = glusterNodes(options.layout, 'primary').map((node) => node.name)
  const secondary = glusterNodes(options.layout, 'secondary').map((node) => node.name)
  return {
    name,
    state: await stateOf(record.state, record.builder, nodes),
    dir: labDir(name),
    options,
    nodes,
    primary: { volume: first.primary, hosts: primary },
    secondary: { host: secondary[0], volume: first.secondary, hosts: secondary },
    /** All of them; those above are the first. */
    pairs,
    engine: engineAccess(name),
    config: join(labDir(name), 'backup.cfg'),
    exec: [launcher, 'exec', '--name', name, 'gp1', '--'],
  }
}

async function stateOf(
  recorded: 'starting' | 'up',
  builder: { pid: number; started: string },
  nodes: { pid?: number }[],
): Promise<'up' | 'starting' | 'broken'> {
  if (recorded === 'starting') return (await isRunning(builder)) ? 'starting' : 'broken'
  return nodes.every(({ pid }) => pid !== undefined) ? 'up' : 'broken'
}
