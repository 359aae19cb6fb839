import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Failure, isAbsent, messageOf } from '../model/errors.ts'
import { type RecoveryPoint, readPoint, sealPoint } from './manifest.ts'

/** Where manifests lie, relative to the root of the secondary volume. No UUID: vdsm takes it for no storage domain. */
export const pointsDir = 'vmbackup/points'

/**
 * `ready`: its images are there. `unfinished`: a run began to overwrite and did not end well. `overwritten`: a later run began to
 * write over its images. `unreadable`: nobody knows what it claims.
 */
export type PointStatus = 'ready' | 'unfinished' | 'overwritten' | 'unreadable'

/** A manifest as it was found. */
export type FoundPoint = { run: string } & (
  | { status: Exclude<PointStatus, 'unreadable'>; point: RecoveryPoint; overwrittenBy?: string }
  | { status: 'unreadable'; why: string }
)

/** All manifests below the root of a secondary volume, newest first, overwritten ones in brief; none is no error. */
export async function listPoints(root: string): Promise<FoundPoint[]> {
  const dir = join(root, pointsDir)
  const names = await readdir(dir).catch((error: unknown) => {
    if (isAbsent(error)) return []
    throw new Failure(`cannot read the manifests in ${dir}`, { cause: error })
  })
  const runs = names.flatMap((name) => /^(\d{8}T\d{6}Z-[0-9a-f]{8})\.json$/.exec(name)?.[1] ?? [])
  const heirs = new Map<string, string>()
  const read: Read[] = []
  // One after the other: with thousands of VMs a manifest is large.
  for (const run of runs.toSorted().reverse()) {
    const one = await readOne(dir, run)
    if ('point' in one) for (const old of one.point.supersedes) heirs.set(old, run)
    read.push('point' in one && heirs.has(run) ? { run, point: inBrief(one.point) } : one)
  }
  let broken: string | undefined
  return read.toSorted(newestFirst).map((one): FoundPoint => {
    if ('why' in one) {
      broken = one.run
      return { run: one.run, status: 'unreadable', why: one.why }
    }
    const { run, point } = one
    // Nobody knows what a broken manifest superseded: whatever is older.
    const heir = heirs.get(run) ?? broken
    if (heir !== undefined) return { run, status: 'overwritten', point, overwrittenBy: heir }
    return { run, status: point.state === 'finished' ? 'ready' : 'unfinished', point }
  })
}

/** Of a point that can prove nothing any more: without chains and documents. */
function inBrief(point: RecoveryPoint): RecoveryPoint {
  return {
    ...point,
    vms: point.vms.map(({ ovf: _, ...vm }) => ({
      ...vm,
      disks: vm.disks.map(({ chain: __, ...disk }) => disk),
    })),
  }
}

type Read = { run: string } & ({ point: RecoveryPoint } | { why: string })

/** By the start of the run, which its name has to the second. */
function newestFirst(one: Read, other: Read): number {
  return startOf(other).localeCompare(startOf(one))
}

function startOf(one: Read): string {
  return 'point' in one ? one.point.startedAt.replaceAll(/[-:]/g, '') : one.run
}

async function readOne(dir: string, run: string): Promise<Read> {
  const file = join(dir, `${run}.json`)
  try {
    const point = readPoint(await readFile(file, 'utf8'), file)
    if (point.run !== run) throw new Failure(`the manifest ${file} is that of run ${point.run}`)
    return { run, point }
  } catch (error) {
    return { run, why: messageOf(error) }
  }
}

/** Writes a manifest whole or not at all; an earlier one of the same run is replaced. */
export async function writePoint(root: string, point: RecoveryPoint): Promise<void> {
  const dir = join(root, pointsDir)
  const file = join(dir, `${point.run}.json`)
  try {
    await mkdir(dir, { recursive: true, mode: 0o755 })
    const draft = `${file}.new`
    await using handle = await open(draft, 'w', 0o644)
    await handle.writeFile(sealPoint(point))
    await handle.sync()
    await rename(draft, file)
    await using parent = await open(dir, 'r')
    await parent.sync()
  } catch (cause) {
    throw new Failure(`cannot write the manifest ${file}`, {
      cause,
      hint: 'look whether the secondary volume is full, and whether its bricks are up',
    })
  }
}

/** Removes the oldest manifests of overwritten points, and drafts of dead runs, until `keep` manifests are left. */
export async function prunePoints(root: string, keep: number): Promise<void> {
  const dir = join(root, pointsDir)
  const old = (await listPoints(root)).slice(keep).filter(({ status }) => status === 'overwritten')
  for (const { run } of old) await rm(join(dir, `${run}.json`), { force: true })
  for (const name of await readdir(dir)) {
    if (name.endsWith('.json.new')) await rm(join(dir, name), { force: true })
  }
}
