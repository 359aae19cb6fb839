import { mkdir, mkdtemp, readdir, rm, rmdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createGeoReplication } from '../../../src/gluster/geo-replication.ts'
import type { OpenVolume, Replication } from '../../../src/model/replication.ts'
import { cycleByHand } from './by-hand.ts'
import { type Case, caseNames, type Measurement, type Tool, toolNames } from './cycle.ts'
import { changeBlocks, digestOf, mountVolume, writeNew } from './ends.ts'
import { cycleOfOurs } from './our-step.ts'
import { cycleOfScript } from './script.ts'

// Runs inside a node of the lab, where the volumes and their addresses are. Prints one line of JSON for each cycle.
const usage = 'usage: measure-cycles.ts CASE TOOL...'
/** A cycle that Gluster itself broke is done again, but not for ever. */
const mostTries = 4
const { signal } = new AbortController()

interface Ground {
  dir: string
  replication: Replication
  primary: OpenVolume
  /** What is changed before each cycle and compared after it. */
  file: string
}

await main(process.argv.slice(2))

async function main([name = '', ...words]: string[]): Promise<void> {
  const what = caseNames.find((one) => one === name)
  const tools = words.map((word) => toolNames.find((one) => one === word))
  if (what === undefined || !tools.every((tool) => tool !== undefined)) throw new Error(usage)
  const dir = await mkdtemp(join(tmpdir(), 'bench-cycles-'))
  const [logDir, place] = [join(dir, 'log'), join(dir, 'primary')]
  await mkdir(logDir)
  await mkdir(place)
  const pair = { primary: 'data', secondary: { host: 'gs1', volume: 'data-dr' } }
  const replication = createGeoReplication({ ...pair, logDir })
  {
    await using primary = await replication.openPrimary(place, signal)
    const file = join(primary.dir, 'bench', what.replaceAll(/\W/g, '-'))
    await measureAll({ dir, replication, primary, file }, what, tools)
  }
  // Only once the volume is unmounted, which has removed its directory.
  await rm(logDir, { recursive: true })
  for (const left of await readdir(dir)) await rm(join(dir, left))
  await rmdir(dir)
}

async function measureAll(ground: Ground, what: Case, tools: readonly Tool[]): Promise<void> {
  await writeNew(ground.file, what === '1 GiB with 5% changed' ? 1024 : 1)
  // What was there before, or has just been written, is none of what is measured.
  await goodCycle(ground, what, 'by hand')
  for (const tool of tools) {
    await change(ground.file, what)
    const measured = await goodCycle(ground, what, tool)
    process.stdout.write(`${JSON.stringify(measured)}\n`)
  }
}

async function change(file: string, what: Case): Promise<void> {
  if (what === '64 MiB new') await writeNew(file, 64)
  if (what === '1 GiB with 5% changed') await changeBlocks(file, 0.05)
}

async function goodCycle(ground: Ground, what: Case, tool: Tool): Promise<Measurement> {
  for (let again = 0; again < mostTries; again += 1) {
    const began = performance.now()
    const wasWhole = await cycle(ground, tool)
    const seconds = (performance.now() - began) / 1000
    if (wasWhole && (await isDelivered(ground))) return { tool, seconds, again }
    process.stderr.write(`${what}, ${tool}: Gluster lost changes; after ${seconds.toFixed(1)} s once more\n`)
    await change(ground.file, what)
  }
  throw new Error(`${what}, ${tool}: Gluster lost changes ${mostTries} times`)
}

/** False when Gluster lost its own events on the way, as far as can be seen. */
async function cycle({ replication, primary, dir }: Ground, tool: Tool): Promise<boolean> {
  if (tool === 'ours') return cycleOfOurs(replication, primary, dir, signal)
  if (tool === 'by hand') return cycleByHand(primary.dir)
  return cycleOfScript({ primary: 'data', secondary: 'data-dr' }, signal)
}

/** Whether the file is the same at both ends, by its digest. */
async function isDelivered({ primary, file }: Ground): Promise<boolean> {
  await using secondary = await mountVolume('gs1', 'data-dr', '--read-only')
  const there = file.replace(primary.dir, secondary.dir)
  return (await digestOf(file)) === (await digestOf(there).catch(() => 'not there'))
}
