import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import pLimit from 'p-limit'
import { messageOf } from '../model/errors.ts'
import type { DiskLayout } from '../model/hypervisor.ts'
import type { OpenVolume, VolumeFile } from '../model/replication.ts'
import type { Site } from '../model/site.ts'
import { type ContentProof, compareFiles, type Reading } from '../point/content.ts'
import type { Pace } from '../point/pace.ts'
import type { Run } from '../run/run.ts'
import type { FrozenFile } from './frozen-files.ts'
import { namesOf } from './observing.ts'
import type { Ends } from './volumes.ts'

/** What a comparison needs beside the files. */
export interface Comparing {
  site: Site
  ends: Ends
  domain: string
  mode: 'quick' | 'full'
  sampleBytes: number
  imagesAtOnce: number
  pace: Pace
}

/** A file whose copy is not the same, and how it differs. */
export interface Difference {
  file: FrozenFile
  what: string
}

export interface Compared {
  differences: Difference[]
  /** By volume id: what was seen to be the same. */
  proofs: Map<string, ContentProof>
  /** At each end. */
  bytesRead: number
}

/**
 * Compares frozen files at both ends while they are frozen: their pieces, descriptions, sizes, and all or samples of their
 * content. "Checkpoint completed" is no proof: Gluster says it over empty files, too.
 */
export async function compareFrozen(
  run: Run,
  files: readonly FrozenFile[],
  comparing: Comparing,
): Promise<Compared> {
  const result: Compared = { differences: [], proofs: new Map(), bytesRead: 0 }
  const progress = progressOf(run, files)
  const contents: Contents = new Map()
  const limit = pLimit(comparing.imagesAtOnce)
  await Promise.all(
    files.map((file) =>
      limit(async () => {
        run.signal.throwIfAborted()
        progress.begun(file)
        const found = await compareFile(run, file, comparing, contents)
        result.bytesRead += found.bytes
        if ('proof' in found) result.proofs.set(file.volume, found.proof)
        else
          result.differences.push({
            file,
            what: `disk ${file.disk.name}, volume ${file.volume}: ${found.difference}`,
          })
        progress.ended(file, 'proof' in found ? undefined : found.difference)
      }),
    ),
  )
  return result
}

type Found = { bytes: number } & ({ proof: ContentProof } | { difference: string })

/** By inode at both ends: the volume of a template has a name in the image of every VM that was made from it. */
type Contents = Map<string, Promise<Found>>

async function compareFile(
  run: Run,
  file: FrozenFile,
  comparing: Comparing,
  contents: Contents,
): Promise<Found> {
  const { ends, domain } = comparing
  const at = (path: string): [string, string] => [
    join(ends.primary.dir, path),
    join(ends.secondary.dir, path),
  ]
  const { layout } = comparing.site.hypervisor
  try {
    const description = at(layout.descriptionOf(domain, file.disk.id, file.volume))
    const [mine, its] = await Promise.all(description.map((path) => readFile(path)))
    if (mine === undefined || its === undefined || !mine.equals(its))
      return { bytes: 0, difference: 'its description differs on the secondary' }
    const inodes = await Promise.all(at(file.data).map(async (path) => (await stat(path)).ino))
    const key = inodes.join()
    const known = contents.get(key)
    if (known !== undefined) return { ...(await known), bytes: 0 }
    const found = compareContent(run, file, comparing)
    contents.set(key, found)
    return await found
  } catch (error) {
    run.signal.throwIfAborted()
    return { bytes: 0, difference: `cannot be read at both ends: ${messageOf(error)}` }
  }
}

async function compareContent(run: Run, file: FrozenFile, comparing: Comparing): Promise<Found> {
  const { ends, mode, sampleBytes, pace } = comparing
  await using opened = new AsyncDisposableStack()
  const open = async (end: OpenVolume): Promise<VolumeFile> =>
    opened.use(await end.open(file.data, run.signal))
  // At the same time: a large image in pieces takes a look at each of them. Both are awaited, so that neither stays open.
  const both = [open(ends.primary), open(ends.secondary)] as const
  await Promise.allSettled(both)
  const [here, there] = await Promise.all(both)
  const whole = mode === 'full' || occupiesLess(here, there)
  const samples: Reading = { kind: 'samples', seed: `${run.id} ${file.data}`, sampleBytes }
  // Awaited, so that the files stay open as long.
  return await compareFiles([here, there], whole ? { kind: 'full' } : samples, pace, run.signal)
}

/** File systems allocate ahead, by up to 64 MiB (XFS) or in proportion. */
const aheadBytes = 64 * 1024 * 1024

/** True when the copy has far less allocated than the original: samples could miss what it lacks. */
function occupiesLess(here: VolumeFile, there: VolumeFile): boolean {
  return here.allocatedBytes - there.allocatedBytes > Math.max(aheadBytes, here.allocatedBytes / 8)
}

/** Tells of each VM when its last file is done. */
function progressOf(run: Run, files: readonly FrozenFile[]) {
  const left = new Map<string, number>()
  for (const { vm } of files) left.set(vm.id, (left.get(vm.id) ?? 0) + 1)
  const of = left.size
  const wrong = new Map<string, string>()
  const underWay = new Map<FrozenFile, FrozenFile['vm']>()
  let done = 0
  return {
    begun(file: FrozenFile): void {
      underWay.set(file, file.vm)
      const vms = new Map([...underWay.values()].map((vm) => [vm.id, vm]))
      run.emit({ kind: 'waiting', what: `comparison of ${namesOf([...vms.values()])}` })
    },
    ended(file: FrozenFile, difference: string | undefined): void {
      underWay.delete(file)
      const { id, name } = file.vm
      if (difference !== undefined && !wrong.has(id)) wrong.set(id, difference)
      const rest = (left.get(id) ?? 0) - 1
      left.set(id, rest)
      if (rest > 0) return
      done += 1
      run.emit({ kind: 'vm', vm: { id, name }, did: wrong.get(id) ?? 'same at both ends', done, of })
    },
  }
}

/** The files by which a volume of an image is sent again: its data and what describes it. */
export function filesToResend(layout: DiskLayout, domain: string, { disk, volume }: FrozenFile): string[] {
  return layout.filesOf(domain, disk.id, volume).inRemovalOrder
}
