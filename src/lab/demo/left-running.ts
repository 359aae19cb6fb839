import { z } from 'zod'
import type { LabClient } from '../client.ts'
import type { LabPair } from '../sites/plan.ts'

/** Mounts that the demo and the tests make for a look, by the directory's beginning. */
const ownMounts = /^\/run\/(look|by-hand)\./
const jobsShape = z.object({
  job: z
    .array(z.object({ id: z.string(), description: z.string(), external: z.string(), status: z.string() }))
    .default([]),
})

/** What a run left running: the session, jobs in the engine's task list, mounts on nodes where an agent may run. */
export async function leftRunning(lab: LabClient): Promise<string[]> {
  const found = await Promise.all([
    ...lab.status.pairs.map((pair) => runningSession(lab, pair)),
    openJobs(lab),
    ...lab.status.primary.hosts.map((node) => mountsOn(lab, node)),
    mountsOn(lab, 'admin'),
  ])
  return found.flat()
}

async function runningSession(lab: LabClient, { primary, secondary }: LabPair): Promise<string[]> {
  const session = [primary, `${lab.status.secondary.host}::${secondary}`]
  const words = ['gluster', '--mode=script', 'volume', 'geo-replication', ...session, 'status', '--xml']
  const states = [...(await lab.run('gp1', ...words)).matchAll(/<status>([^<]*)</g)].map(([, state]) => state)
  return states.every((state) => state === 'Stopped' || state === 'Created')
    ? []
    : [`a session that is ${[...new Set(states)].join(' and ')}`]
}

async function openJobs(lab: LabClient): Promise<string[]> {
  const { job: jobs } = jobsShape.parse(await lab.api('GET', '/jobs'))
  return jobs
    .filter(({ external, status }) => external === 'true' && status === 'started')
    .map(({ description }) => `the external job "${description}" on the engine`)
}

async function mountsOn(lab: LabClient, node: string): Promise<string[]> {
  const mounts = (await lab.run(node, 'cat', '/proc/mounts')).split('\n').map((line) => line.split(' '))
  return mounts
    .filter(([, dir = '', type]) => type === 'fuse.glusterfs' && !ownMounts.test(dir))
    .map(([source, dir]) => `a mount of ${source} at ${dir} on ${node}`)
}
