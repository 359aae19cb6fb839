import { mkdir } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { Pair } from '../model/pair.ts'
import type { OpenVolume } from '../model/replication.ts'
import { answers, besides, isMountedWith, mount, unmount } from './mount.ts'
import { plainFile } from './plain-file.ts'
import type { End } from './resend.ts'
import { openSharded } from './sharded-file.ts'
import { removeMarkedShards } from './shards.ts'
import { spaceAt } from './space.ts'

/** A volume that is mounted here, and what it takes to look at its pieces. */
export interface Mounted extends OpenVolume {
  /** Its root, and where it is sharded that of a second mount. */
  end: End
}

export interface Volumes {
  /** With all mounts that it takes: none is made later, when guests may be on their overlays. */
  openPrimary(layout: Layout, dir: string, signal: AbortSignal): Promise<Mounted>
  /** The same; deleting and writing is possible there although the volume is read-only for others. */
  openSecondary(layout: Layout, dir: string, signal: AbortSignal): Promise<Mounted>
  /** Finishes deletions on the secondary, unmounts, removes the directory. Already so = done. */
  close(dir: string, signal: AbortSignal): Promise<void>
}

/** What has to be known of a volume to mount it. */
interface Layout {
  /** Asked in turn for the volume's layout. */
  hosts: readonly string[]
  sharded: boolean
}

/**
 * Geo-replication's setup makes the secondary read-only (hook of `create push-pem`), which the bricks do not apply to
 * negative client pids. -1 is geo-replication itself and skips sharding; -4 is the one of root without squashing, and is
 * otherwise a client like any other (tried, 10.3).
 */
const writable = '--client-pid=-4'
const byGfid = '--aux-gfid-mount'
const asGeoReplication = ['--client-pid=-1', byGfid]

/** The mounts of this machine. */
export function volumesAt(options: { pair: Pair; logDir: string; mountMs: number }): Volumes {
  const { logDir, mountMs, pair } = options

  async function mountIt(
    volume: string,
    servers: readonly string[],
    dir: string,
    extra: readonly string[],
    signal: AbortSignal,
  ): Promise<void> {
    const logFile = join(logDir, `mount-${volume}.log`)
    await mount(dir, { volume, servers, logFile, timeoutMs: mountMs, extra }, signal)
  }

  async function mountBeside(
    volume: string,
    servers: readonly string[],
    dir: string,
    signal: AbortSignal,
  ): Promise<string> {
    const beside = besideOf(dir)
    if (await isMountedWith(beside, asGeoReplication[0] ?? '')) return beside
    await besides(beside, signal)
    await mountIt(volume, servers, beside, asGeoReplication, signal)
    return beside
  }

  async function finishDeletions(dir: string, signal: AbortSignal): Promise<void> {
    const isAlive = await answers(dir, mountMs).then(
      () => true,
      () => false,
    )
    // A dead mount is only taken away: what its deletions left is finished when the next one is closed.
    if (!isAlive) return
    await removeMarkedShards(await mountBeside(pair.secondary.volume, [pair.secondary.host], dir, signal))
  }

  /** `sharded` is not known of a mount that an earlier process has left. */
  async function close(dir: string, signal: AbortSignal, sharded = true): Promise<void> {
    try {
      if (sharded && (await isMountedWith(dir, writable))) await finishDeletions(dir, signal)
    } finally {
      await unmountBoth(dir, signal)
    }
  }

  async function openIt(
    volume: string,
    { hosts, sharded }: Layout,
    dir: string,
    extra: readonly string[],
    signal: AbortSignal,
  ): Promise<Mounted> {
    const closed = () => close(dir, AbortSignal.timeout(mountMs * 2), sharded)
    await mountIt(volume, hosts, dir, extra, signal)
    if (!sharded) return mountedAt({ dir }, closed)
    return mountedAt(await withRaw(dir, mountMs, () => mountBeside(volume, hosts, dir, signal)), closed)
  }

  return {
    openPrimary: (layout, dir, signal) => openIt(pair.primary, layout, dir, [byGfid], signal),
    openSecondary: (layout, dir, signal) => openIt(pair.secondary.volume, layout, dir, [writable], signal),
    close: (dir, signal) => close(dir, signal),
  }
}

/**
 * Mounts a volume for reading only, on an existing empty directory and without any gluster command: for a site that has nothing
 * else left. Disposing unmounts it.
 */
export async function openVolumeAt(
  {
    host,
    volume,
    logDir,
    mountMs = 60_000,
  }: { host: string; volume: string; logDir: string; mountMs?: number },
  dir: string,
  signal: AbortSignal,
): Promise<OpenVolume> {
  const options = {
    volume,
    servers: [host],
    logFile: join(logDir, `mount-${volume}.log`),
    timeoutMs: mountMs,
  }
  await mount(dir, { ...options, extra: ['--read-only'] }, signal)
  const end = await withRaw(dir, mountMs, async () => {
    const beside = besideOf(dir)
    await mkdir(beside, { mode: 0o700 })
    await mount(beside, { ...options, extra: [...asGeoReplication, '--read-only'] }, signal)
    return beside
  })
  return mountedAt(end, () => unmountBoth(dir, AbortSignal.timeout(mountMs * 2)))
}

/** What is mounted, with its second mount; where that cannot be made, neither stays. Nothing was deleted yet that would have to be finished. */
async function withRaw(dir: string, mountMs: number, mountRaw: () => Promise<string>): Promise<End> {
  try {
    return { dir, raw: await mountRaw() }
  } catch (error) {
    await unmountBoth(dir, AbortSignal.timeout(mountMs * 2))
    throw error
  }
}

async function unmountBoth(dir: string, signal: AbortSignal): Promise<void> {
  await unmount(besideOf(dir), signal)
  await unmount(dir, signal)
}

function mountedAt(end: End, close: () => Promise<void>): Mounted {
  const { dir, raw } = end
  return {
    dir,
    end,
    space: () => spaceAt(dir),
    open: async (path, signal) =>
      raw === undefined ? plainFile(join(dir, path)) : openSharded({ dir, raw }, path, signal),
    [Symbol.asyncDispose]: close,
  }
}

/** Where the second mount of a volume stands. */
function besideOf(dir: string): string {
  return join(dirname(dir), `${basename(dir)}.shards`)
}
