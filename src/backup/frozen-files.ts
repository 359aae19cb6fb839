import { readdir } from 'node:fs/promises'
import { basename, join } from 'node:path'
import pLimit from 'p-limit'
import type { DiskLayout } from '../model/hypervisor.ts'
import type { OpenVolume } from '../model/replication.ts'
import { type BackupPlan, overlayOf, type PlannedDisk, type VmPlan } from './plan.ts'
import type { Verdicts } from './verdicts.ts'

const looksAtOnce = 16

/** A volume of a planned disk that must not change while it is copied; `data` is its path relative to the volume's root. */
export interface FrozenFile {
  vm: VmPlan
  disk: PlannedDisk
  volume: string
  data: string
}

/** What was seen of a file that must not change. */
interface Seen {
  file: FrozenFile
  stamp: string
}

/** Every volume of the VMs' disks on the primary but the overlays of this run. */
export async function frozenFiles(
  primary: OpenVolume,
  layout: DiskLayout,
  plan: BackupPlan,
  vms: readonly VmPlan[],
): Promise<FrozenFile[]> {
  const limit = pLimit(looksAtOnce)
  const disks = vms.flatMap((vm) => vm.disks.map((disk) => ({ vm, disk })))
  const found = disks.map(({ vm, disk }) =>
    limit(async () => {
      if (disk.volume === undefined) return []
      const dir = layout.directoryOf(plan.domain.id, disk.id)
      const names = await readdir(join(primary.dir, dir)).catch((): string[] => [])
      const ours = overlayOf(vm, disk.id)
      const described = (volume: string): boolean =>
        names.includes(basename(layout.descriptionOf(plan.domain.id, disk.id, volume)))
      // Data without a description is no volume to the hosts either.
      const volumes = layout.volumesIn(names).filter((volume) => volume !== ours && described(volume))
      // The planned volume also where it cannot be seen: that it is not there must show in the comparison.
      return [...new Set([...volumes, disk.volume])].map((volume) => ({
        vm,
        disk,
        volume,
        data: layout.filesOf(plan.domain.id, disk.id, volume).data,
      }))
    }),
  )
  return (await Promise.all(found)).flat()
}

/** When each of the files was written last, for `failWritten` to look again. */
export async function lastWrites(
  primary: OpenVolume,
  files: readonly FrozenFile[],
  signal: AbortSignal,
): Promise<Seen[]> {
  const limit = pLimit(looksAtOnce)
  return Promise.all(
    files.map((file) => limit(async () => ({ file, stamp: await stampOf(primary, file.data, signal) }))),
  )
}

/** A VM one of whose files was written meanwhile is torn, whatever the engine says of it. */
export async function failWritten(
  before: readonly Seen[],
  primary: OpenVolume,
  verdicts: Verdicts,
  signal: AbortSignal,
): Promise<void> {
  const files = before.map(({ file }) => file)
  const now = await lastWrites(primary, files, signal)
  for (const [index, { file, stamp }] of before.entries()) {
    if (now[index]?.stamp === stamp) continue
    const state = file.vm.way === 'offline' ? 'although the VM is down' : 'although the VM runs on an overlay'
    verdicts.fail(file.vm.id, `torn: volume ${file.volume} of disk ${file.disk.name} was written ${state}`)
  }
}

async function stampOf(primary: OpenVolume, path: string, signal: AbortSignal): Promise<string> {
  try {
    await using file = await primary.open(path, signal)
    return `${file.lastWriteNs} ${file.sizeBytes}`
  } catch {
    signal.throwIfAborted()
    // The comparison will say what is wrong with it.
    return 'missing'
  }
}
