import { join } from 'node:path'
import type { OpenVolume } from '../model/replication.ts'
import { answers, besides, isMountedWith, mount, unmount } from './mount.ts'
import { removeMarkedShards } from './shards.ts'

export interface Volumes {
  openPrimary(servers: readonly string[], dir: string, signal: AbortSignal): Promise<OpenVolume>
  /** Deleting and writing is possible there although the volume is read-only for others. */
  openSecondary(servers: readonly string[], dir: string, signal: AbortSignal): Promise<OpenVolume>
  /** Finishes deletions on the secondary, unmounts, removes the directory. Already so = done. */
  close(dir: string, signal: AbortSignal): Promise<void>
}

/**
 * Geo-replication's setup makes the secondary read-only (hook of `create push-pem`), which the bricks do not apply to
 * negative client pids. -1 is geo-replication itself and skips sharding; -4 is the one of root without squashing, and is
 * otherwise a client like any other (tried, 10.3).
 */
const writable = '--client-pid=-4'
const asGeoReplication = ['--client-pid=-1', '--aux-gfid-mount']

/** The mounts of this machine. */
export function volumesAt(options: {
  primaryVolume: string
  logDir: string
  mountMs: number
  secondaryVolume: string
  secondaryHost: string
}): Volumes {
  const { logDir, mountMs, primaryVolume, secondaryVolume, secondaryHost } = options

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

  async function finishDeletions(dir: string, beside: string, signal: AbortSignal): Promise<void> {
    const isAlive = await answers(dir, mountMs).then(
      () => true,
      () => false,
    )
    // A dead mount is only taken away: what its deletions left is finished when the next one is closed.
    if (!isAlive) return
    await besides(beside, signal)
    await mountIt(secondaryVolume, [secondaryHost], beside, asGeoReplication, signal)
    await removeMarkedShards(beside)
  }

  async function close(dir: string, signal: AbortSignal): Promise<void> {
    const beside = `${dir}.shards`
    try {
      if (await isMountedWith(dir, writable)) await finishDeletions(dir, beside, signal)
    } finally {
      await unmount(beside, signal)
      await unmount(dir, signal)
    }
  }

  const opened = (dir: string): OpenVolume => ({
    dir,
    [Symbol.asyncDispose]: () => close(dir, AbortSignal.timeout(mountMs * 2)),
  })

  return {
    async openPrimary(servers, dir, signal) {
      await mountIt(primaryVolume, servers, dir, [], signal)
      return opened(dir)
    },
    async openSecondary(servers, dir, signal) {
      await mountIt(secondaryVolume, servers, dir, [writable], signal)
      return opened(dir)
    },
    close,
  }
}
