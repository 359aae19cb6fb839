import { readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import { labDir, nodeDir, readRecord } from './directory.ts'
import { nodeInit } from './nodes.ts'
import { end, readIdentity } from './processes.ts'

/** Ends everything a lab has started, in whatever state it is, and deletes its directory. */
export async function bringDown(name: string): Promise<void> {
  const record = await readRecord(name)
  if (record?.state === 'starting' && record.builder.pid !== process.pid) await end(record.builder)
  const nodes = await readdir(nodeDir(name, '')).catch(() => [])
  const processes = [
    readIdentity(join(labDir(name), 'hub.pid')),
    ...nodes.map((node) => nodeInit(name, node)),
  ]
  const known = (await Promise.all(processes)).filter((identity) => identity !== undefined)
  // A node's namespaces, mounts and processes end with its process 1.
  await Promise.all(known.map(end))
  await unmountBelow(labDir(name))
  await rm(labDir(name), { recursive: true, force: true, maxRetries: 5 })
}

async function unmountBelow(dir: string): Promise<void> {
  const mounts = (await readFile('/proc/self/mountinfo', 'utf8'))
    .split('\n')
    .map((line) => line.split(' ')[4])
  for (const mount of mounts.reverse()) {
    if (mount?.startsWith(`${dir}/`)) await execa('umount', ['--lazy', mount])
  }
}
