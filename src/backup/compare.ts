import { createHash } from 'node:crypto'
import { open, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { DiskLayout } from '../model/hypervisor.ts'
import type { Run } from '../run/run.ts'
import type { BackupPlan, VmPlan } from './plan.ts'
import type { Verdicts } from './verdicts.ts'
import type { Ends } from './volumes.ts'

const blockBytes = 64 * 1024

/**
 * Compares the frozen images of the plan at both ends while they are frozen: sizes, descriptions, and blocks of every image
 * at places drawn from the run's id. "Checkpoint completed" is no proof: Gluster says it over empty files, too. What differs
 * is a verdict on that VM. Returns the bytes read at each end.
 */
export async function compareContent(
  run: Run,
  ends: Ends,
  layout: DiskLayout,
  plan: BackupPlan,
  sampleBytes: number,
  verdicts: Verdicts,
): Promise<number> {
  const vms = plan.vms.filter((vm) => takesPart(vm) && !verdicts.failed(vm.id))
  let bytes = 0
  let done = 0
  for (const vm of vms) {
    run.signal.throwIfAborted()
    run.emit({ kind: 'waiting', what: `comparison of ${vm.name}` })
    const results = await Promise.all(
      vm.disks
        .filter((disk) => disk.volume !== undefined)
        .map((disk) => compareImage(run, ends, layout, plan.domain.id, vm, disk.id, sampleBytes)),
    )
    bytes += results.reduce((sum, result) => sum + result.bytes, 0)
    const difference = results.find((result) => result.difference !== undefined)?.difference
    if (difference !== undefined) verdicts.fail(vm.id, difference)
    done += 1
    const { id, name } = vm
    run.emit({ kind: 'vm', vm: { id, name }, did: difference ?? 'same at both ends', done, of: vms.length })
  }
  return bytes
}

export function takesPart(vm: VmPlan): boolean {
  return vm.way === 'snapshot' || vm.way === 'offline'
}

interface Compared {
  bytes: number
  difference?: string
}

async function compareImage(
  run: Run,
  ends: Ends,
  layout: DiskLayout,
  domain: string,
  vm: VmPlan,
  image: string,
  sampleBytes: number,
): Promise<Compared> {
  const ours = new Set(
    vm.way === 'snapshot' ? vm.overlays.filter((one) => one.image === image).map((one) => one.overlay) : [],
  )
  let names: string[] = []
  const { difference } = await differenceOf(`image ${image}`, async () => {
    names = await readdir(join(ends.primary.dir, layout.directoryOf(domain, image)))
    return { bytes: 0 }
  })
  if (difference !== undefined) return { bytes: 0, difference }
  let bytes = 0
  for (const volume of layout.volumesIn(names).filter((name) => !ours.has(name))) {
    const at = (end: Ends['primary'], file: string): string => join(end.dir, file)
    const description = layout.descriptionOf(domain, image, volume)
    const { data } = layout.filesOf(domain, image, volume)
    const compared = await differenceOf(
      `image ${image}, volume ${volume}`,
      async () =>
        (await compareSmall(at(ends.primary, description), at(ends.secondary, description))) ??
        (await compareSamples(
          samplesOf(`${run.id} ${data}`, sampleBytes),
          at(ends.primary, data),
          at(ends.secondary, data),
        )),
    )
    bytes += compared.bytes
    if (compared.difference !== undefined) return { bytes, difference: compared.difference }
  }
  return { bytes }
}

async function differenceOf(what: string, compare: () => Promise<Compared>): Promise<Compared> {
  try {
    const { bytes, difference } = await compare()
    return difference === undefined ? { bytes } : { bytes, difference: `${what}: ${difference}` }
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error
    return { bytes: 0, difference: `${what}: cannot be read at both ends: ${error.message}` }
  }
}

async function compareSmall(primary: string, secondary: string): Promise<Compared | undefined> {
  const [here, there] = await Promise.all([readFile(primary), readFile(secondary)])
  return here.equals(there)
    ? undefined
    : { bytes: here.length, difference: 'its description differs on the secondary' }
}

async function compareSamples(
  placesIn: (sizeBytes: number) => number[],
  primary: string,
  secondary: string,
): Promise<Compared> {
  await using here = await open(primary, 'r')
  await using there = await open(secondary, 'r')
  const [mine, its] = await Promise.all([here.stat(), there.stat()])
  if (mine.size !== its.size) {
    return { bytes: 0, difference: `${mine.size} bytes on the primary, ${its.size} on the secondary` }
  }
  const one = Buffer.alloc(blockBytes)
  const two = Buffer.alloc(blockBytes)
  let bytes = 0
  for (const offset of placesIn(mine.size)) {
    const [read, copied] = await Promise.all([
      here.read(one, 0, blockBytes, offset),
      there.read(two, 0, blockBytes, offset),
    ])
    bytes += read.bytesRead
    const same =
      read.bytesRead === copied.bytesRead &&
      one.subarray(0, read.bytesRead).equals(two.subarray(0, copied.bytesRead))
    if (!same) return { bytes, difference: `content differs in the ${blockBytes} bytes at offset ${offset}` }
  }
  return { bytes }
}

/**
 * The offsets to read of a file: its first and its last block, and one in each of as many equal stretches as the bytes to be
 * read allow, so that a lost shard cannot hide between two samples of an image of moderate size.
 */
export function samplesOf(seed: string, sampleBytes: number): (sizeBytes: number) => number[] {
  return (sizeBytes) => {
    const blocks = Math.ceil(sizeBytes / blockBytes)
    if (blocks === 0) return []
    const stretches = Math.max(1, Math.min(blocks, Math.floor(sampleBytes / blockBytes)))
    const places = new Set([0, blocks - 1])
    for (let stretch = 0; stretch < stretches; stretch += 1) {
      const from = Math.floor((stretch * blocks) / stretches)
      const to = Math.floor(((stretch + 1) * blocks) / stretches)
      places.add(from + Math.floor(draw(seed, stretch) * (to - from)))
    }
    return [...places].sort((a, b) => a - b).map((block) => block * blockBytes)
  }
}

/** A number from 0 to less than 1 that the seed decides. */
function draw(seed: string, index: number): number {
  return createHash('sha256').update(`${seed} ${index}`).digest().readUInt32BE() / 2 ** 32
}
