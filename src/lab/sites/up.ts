import { claimDirectory, labDir, readRecord, writeRecord } from './directory.ts'
import { bringDown } from './down.ts'
import { mountDomains, prepareEngine, startEngine } from './engine-process.ts'
import { makeBridge, plugIn } from './network.ts'
import { buildEnter, startHub, startNode } from './nodes.ts'
import { differences, glusterNodes, type LabOptions, nodesOf } from './plan.ts'
import { identify } from './processes.ts'
import { workingRsync } from './rsync.ts'
import { createSessions } from './session.ts'
import { makeKeys } from './ssh.ts'
import { statusOf } from './status.ts'
import { joinPeers, makeVolumes, startDaemons } from './volumes.ts'

/** Takes one line of progress. */
export type Say = (line: string) => void

/**
 * Brings a lab up, or leaves it as it is if it is up with the same options. What is left of a lab that ended by
 * itself is cleared away first. Throws if it runs with other options, or is just being brought up by another; and what
 * `say` throws, between two stages.
 */
export async function bringUp(options: LabOptions, say: Say): Promise<void> {
  const { state } = await statusOf(options.name)
  if (state === 'up') return requireSame(options)
  if (state === 'broken') {
    say('clearing what is left of an earlier lab')
    await bringDown(options.name)
  }
  if (!(await claimDirectory(options.name))) {
    throw new Error(`${labDir(options.name)} is there: another "lab up" is at work, or "lab down" is needed`)
  }
  const builder = await identify(process.pid)
  if (builder === undefined) throw new Error('/proc is not readable')
  await writeRecord({ state: 'starting', options, builder })
  await build(options, say)
  await writeRecord({ state: 'up', options, builder })
}

/** Whether this very process brought the lab up, or is at it. */
export async function isOwn(name: string): Promise<boolean> {
  const builder = (await readRecord(name))?.builder
  const self = await identify(process.pid)
  return builder !== undefined && builder.pid === self?.pid && builder.started === self.started
}

async function requireSame(options: LabOptions): Promise<void> {
  const running = (await readRecord(options.name))?.options
  const other = running ? differences(options, running) : []
  if (other.length > 0) {
    throw new Error(`lab ${options.name} is up with other options (${other.join('; ')}); take it down first`)
  }
}

async function build(options: LabOptions, say: Say): Promise<void> {
  const rsync = options.brokenRsync ? undefined : await workingRsync()
  const syncMethod = rsync || options.brokenRsync ? 'rsync' : 'tarssh'
  if (syncMethod === 'tarssh') say('no rsync 3.2.7 to be had: the session uses sync-method tarssh')
  await Promise.all([makeKeys(options), prepareEngine(options), buildEnter(options.name)])
  say('keys and certificates made')
  await startNodes(options, rsync)
  say('nodes and network are there')
  await Promise.all([startPrimary(options), startSecondary(options)])
  say('volumes are started')
  await createSessions(options, syncMethod)
  say(options.volumes > 1 ? 'geo-replication sessions are created' : 'geo-replication session is created')
  await mountDomains(options)
  if (!options.engine) return say('primary volume is mounted; no engine was asked for')
  say((await startEngine(options)) ? 'the engine is ready' : 'this checkout has no engine (src/lab/serve.ts)')
}

async function startNodes(options: LabOptions, rsync: string | undefined): Promise<void> {
  const hub = await startHub(options.name)
  await makeBridge(hub)
  const start = nodesOf(options.layout).map(async (node) =>
    plugIn(hub, node, await startNode(options, node, rsync)),
  )
  await Promise.all(start)
}

async function startPrimary(options: LabOptions): Promise<void> {
  const nodes = glusterNodes(options.layout, 'primary')
  await Promise.all(nodes.map((node) => startDaemons(options, node)))
  await joinPeers(options, nodes)
  await makeVolumes(options, 'primary')
}

async function startSecondary(options: LabOptions): Promise<void> {
  await Promise.all(glusterNodes(options.layout, 'secondary').map((node) => startDaemons(options, node)))
  await makeVolumes(options, 'secondary')
}
