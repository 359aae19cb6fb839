import { randomBytes } from 'node:crypto'
import { mkdir, open, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import { createGeoReplication } from '../../../src/gluster/geo-replication.ts'
import { compareFiles, type Reading } from '../../../src/point/content.ts'
import { paceOf } from '../../../src/point/pace.ts'
import { systemClock } from '../../../src/run/clock.ts'
import type { Inside } from './measured.ts'

// Runs in the node gp1 of a lab, where the volumes can be mounted: a new directory, the secondary's host, the two volumes, MiB of data.
const [dir = '', host = '', primaryVolume = '', secondaryVolume = '', size = ''] = process.argv.slice(2)

const mib = 1024 ** 2
const randomSize = Number(size) * mib
const sparse = { size: 4 * randomSize, data: randomSize / 4, at: randomSize }
const largeSize = 1024 ** 4
const turns = 3
const samples: Reading = { kind: 'samples', seed: 'bench', sampleBytes: 8 * mib }

const { signal } = new AbortController()
/** By file. */
const digests = new Map<string, string>()
const replication = createGeoReplication({
  primary: primaryVolume,
  secondary: { host, volume: secondaryVolume },
  secondaryCommand: ['ssh', host],
  logDir: dir,
})
await mkdir(dir, { recursive: true })
await mkdir(join(dir, 'primary'))
await mkdir(join(dir, 'secondary'))
await using primary = await replication.openPrimary(join(dir, 'primary'), signal)
await using secondary = await replication.openSecondary(join(dir, 'secondary'), signal)
const ends = [primary, secondary] as const

await fill('random', randomSize, 0, randomSize)
await fill('sparse', sparse.size, sparse.at, sparse.data)
for (const { dir: root } of ends) {
  await (await open(join(root, 'large'), 'w')).close()
  await truncate(join(root, 'large'), largeSize)
}

const inside: Inside = {
  full: { bytes: randomSize, ours: [], cmp: [], sha256sum: [], reading: [] },
  sparse: { bytes: sparse.size, ours: [], cmp: [] },
  quick: { sizeBytes: largeSize, bytesRead: 0, ours: [] },
}
// What the bricks' machine has to read from its disks the first time is read before anybody's time is taken.
await reading('random')
for (let turn = 0; turn < turns; turn += 1) {
  inside.full.ours.push(await secondsOf(() => compared('random', { kind: 'full' })))
  inside.full.cmp.push(await secondsOf(() => cmp('random')))
  inside.full.sha256sum.push(await secondsOf(digested))
  inside.full.reading.push(await secondsOf(() => reading('random')))
  inside.sparse.ours.push(await secondsOf(() => compared('sparse', { kind: 'full' })))
  inside.quick.ours.push(
    await secondsOf(async () => {
      inside.quick.bytesRead = await compared('large', samples)
    }),
  )
}
// Last, since reading holes of a sharded volume through an ordinary mount makes empty shards of them.
for (let turn = 0; turn < turns; turn += 1) inside.sparse.cmp.push(await secondsOf(() => cmp('sparse')))
process.stdout.write(JSON.stringify(inside))

/** Writes the same file at both ends: that many random bytes from `at` on, the rest a hole. */
async function fill(name: string, size: number, at: number, length: number): Promise<void> {
  await using here = await open(join(primary.dir, name), 'w')
  await using there = await open(join(secondary.dir, name), 'w')
  for (const file of [here, there]) await file.truncate(size)
  for (let done = 0; done < length; done += mib) {
    const block = randomBytes(mib)
    await Promise.all([here, there].map((file) => file.write(block, 0, mib, at + done)))
  }
  for (const file of [here, there]) await file.sync()
}

/** As a run compares an image; returns how much was read at each end. */
async function compared(name: string, how: Reading): Promise<number> {
  const [one, two] = await Promise.all(ends.map((end) => end.open(name, signal)))
  if (one === undefined || two === undefined) throw new Error('an end is missing')
  await using here = one
  await using there = two
  const found = await compareFiles([here, there], how, paceOf(undefined, systemClock), signal)
  if ('difference' in found) throw new Error(`${name}: ${found.difference}`)
  if (how.kind === 'full') digests.set(name, found.proof.sha256)
  return found.bytes
}

/** What sha256sum makes of it must be what the comparison has made of it. */
async function digested(): Promise<void> {
  const said = await atBothEnds('random', (path) => ['sha256sum', path])
  const digest = digests.get('random') ?? 'none'
  if (!said.every((line) => line.startsWith(`${digest} `))) throw new Error(`${digest} is not ${said.join()}`)
}

async function cmp(name: string): Promise<void> {
  await execa('cmp', [join(primary.dir, name), join(secondary.dir, name)])
}

function reading(name: string): Promise<string[]> {
  return atBothEnds(name, (path) => ['dd', `if=${path}`, 'of=/dev/null', 'bs=1M', 'status=none'])
}

/** What the command printed at each end. */
function atBothEnds(name: string, command: (path: string) => [string, ...string[]]): Promise<string[]> {
  return Promise.all(
    ends.map(async (end) => {
      const [file, ...args] = command(join(end.dir, name))
      return (await execa(file, args)).stdout
    }),
  )
}

async function secondsOf(act: () => Promise<unknown>): Promise<number> {
  const at = performance.now()
  await act()
  return (performance.now() - at) / 1000
}
