import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import type { LabOptions } from './plan.ts'
import type { ProcessIdentity } from './processes.ts'

const labsDir = '/var/tmp/vmbackup-lab'

/** Where a lab keeps everything it has. */
export function labDir(name: string): string {
  return join(labsDir, name)
}

export function nodeDir(lab: string, node: string): string {
  return join(labDir(lab), 'nodes', node)
}

/** Names of the labs that have a directory. */
export async function labNames(): Promise<string[]> {
  const entries = await readdir(labsDir, { withFileTypes: true }).catch(() => [])
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name)
}

const record = z.strictObject({
  state: z.enum(['starting', 'up']),
  options: z.strictObject({
    name: z.string(),
    layout: z.enum(['single', 'replica3']),
    shard: z.boolean(),
    vms: z.number(),
    disks: z.number(),
    volumes: z.number().default(1),
    rate: z.number(),
    engine: z.boolean(),
    big: z.number().default(0),
    brokenRsync: z.boolean(),
  }),
  builder: z.strictObject({ pid: z.number(), started: z.string() }),
})

/** What a lab says of itself: its options, and who brings it up. */
export interface LabRecord {
  state: 'starting' | 'up'
  options: LabOptions
  builder: ProcessIdentity
}

const recordFile = (name: string): string => join(labDir(name), 'lab.json')

/** Undefined if there is no such lab, or nothing readable in its directory. */
export async function readRecord(name: string): Promise<LabRecord | undefined> {
  const text = await readFile(recordFile(name), 'utf8').catch(() => undefined)
  if (text === undefined) return undefined
  return record.safeParse(JSON.parse(text)).data
}

export async function writeRecord(content: LabRecord): Promise<void> {
  const file = recordFile(content.options.name)
  await writeFile(`${file}.new`, `${JSON.stringify(content, null, 2)}\n`)
  await rename(`${file}.new`, file)
}

/** Makes the lab's directory; false if another process has just made it. */
export async function claimDirectory(name: string): Promise<boolean> {
  await mkdir(labsDir, { recursive: true })
  try {
    await mkdir(labDir(name), { mode: 0o755 })
    return true
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw cause
  }
}
