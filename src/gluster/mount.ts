import { mkdir, open, opendir, readdir, readFile, realpath, rmdir, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { CommandFailed, Failure, isAbsent, messageOf } from '../model/errors.ts'
import { oneLine } from '../model/shown.ts'
import { runAt } from './run.ts'

export interface MountOptions {
  volume: string
  /** Asked in turn for the volume's layout. */
  servers: readonly string[]
  logFile: string
  timeoutMs: number
  /** More options of the glusterfs client. */
  extra?: readonly string[]
}

/** Mounts a volume on an existing empty directory and proves that it answers; otherwise nothing stays mounted. */
export async function mount(dir: string, options: MountOptions, signal: AbortSignal): Promise<void> {
  const place = await placeOf(dir)
  if (await isMounted(place)) throw new Failure(`${place}: something is mounted there already`)
  // The client itself and not mount.glusterfs, which has no word for --client-pid, and reads `_netdev` tables.
  const argv = [
    'glusterfs',
    ...options.servers.map((server) => `--volfile-server=${server}`),
    `--volfile-id=${options.volume}`,
    // Without these a second client serves reads and sizes from its kernel's cache that the primary has changed since.
    '--direct-io-mode=enable',
    '--attribute-timeout=0',
    '--entry-timeout=0',
    // Gluster's own client holds attributes back for a second: the last write before a freeze would show after it (tried, 10.3).
    '--xlator-option=*-md-cache.md-cache-timeout=0',
    `--log-file=${options.logFile}`,
    '--log-level=WARNING',
    ...(options.extra ?? []),
    place,
  ]
  const logged = await stat(options.logFile).then(
    ({ size }) => size,
    () => 0,
  )
  try {
    const ended = await runAt([], argv, { timeoutMs: options.timeoutMs, signal })
    if (ended.exitCode !== 0)
      throw new Failure(`the client ended with ${ended.exitCode}: ${oneLine(ended.stderr)}`)
    await answers(place, options.timeoutMs)
  } catch (cause) {
    await clearMount(place, AbortSignal.timeout(options.timeoutMs)).catch(() => {})
    signal.throwIfAborted()
    throw new CommandFailed(
      `mounting volume ${options.volume} on ${place}: ${await lastWords(options.logFile, logged, cause)}`,
      {
        argv,
        cause,
        hint: `see ${options.logFile}; the agent needs root, /dev/fuse, and all bricks' hosts within reach`,
      },
    )
  }
}

/** Unmounts whatever is mounted there, ends its process and removes the directory. Already so = done. */
export async function unmount(dir: string, signal: AbortSignal): Promise<void> {
  const place = await placeOf(dir).catch(() => undefined)
  if (place === undefined) return
  await clearMount(place, signal)
  await rmdir(place).catch((cause: NodeJS.ErrnoException) => {
    if (isAbsent(cause)) return
    throw new Failure(`removing the mount point ${place}: ${cause.message}`, {
      cause,
      hint: 'look what is in it',
    })
  })
}

/** True when a living client mounted there was given this option. */
export async function isMountedWith(dir: string, option: string): Promise<boolean> {
  const place = await placeOf(dir).catch(() => dir)
  return (await isMounted(place)) && (await clientsOf(place)).some(({ argv }) => argv.includes(option))
}

async function isMounted(place: string): Promise<boolean> {
  return mountPointsIn(await readFile('/proc/self/mountinfo', 'utf8')).includes(place)
}

/** Where something is mounted, by the text of mountinfo. */
export function mountPointsIn(mountinfo: string): string[] {
  return mountinfo.split('\n').flatMap((line) => unescaped(line.split(' ')[4] ?? '') || [])
}

/** Resolves when the root of a mount can be listed; fails when that takes too long. */
export async function answers(dir: string, timeoutMs: number): Promise<void> {
  if (!(await isMounted(await placeOf(dir)))) throw new Failure(`${dir}: nothing is mounted there`)
  const late = new AbortController()
  const look = async () => {
    await using root = await opendir(dir)
    await root.read()
  }
  const tooLate = async () => {
    await pause(timeoutMs, undefined, { signal: late.signal })
    throw new Failure(`${dir}: the mount does not answer within ${timeoutMs / 1000} s`)
  }
  const looked = look().finally(() => late.abort())
  await Promise.race([
    looked,
    tooLate().catch((error: unknown) => (late.signal.aborted ? looked : Promise.reject(error))),
  ])
}

/** The directory's own path without touching it: a dead mount answers no look at all. */
async function placeOf(dir: string): Promise<string> {
  return join(await realpath(dirname(dir)), basename(dir))
}

const politeMs = 10_000
/**
 * A client ends within moments of its unmount, unless a worker of geo-replication was started meanwhile: those run in a mount namespace of
 * their own, and what is left of one that was stopped keeps copies of all that was mounted then (10.3).
 */
const leaveMs = 1000
const lookMs = 100

async function clearMount(place: string, signal: AbortSignal): Promise<void> {
  const end = Date.now() + politeMs
  for (;;) {
    if (!(await isMounted(place))) break
    const isPolite = Date.now() < end
    const ended = await runAt([], ['umount', ...(isPolite ? [] : ['--lazy']), place], {
      timeoutMs: politeMs,
      signal,
    })
    if (ended.exitCode === 0) continue
    if (!isPolite) {
      throw new CommandFailed(`unmounting ${place}: ${oneLine(ended.stderr)}`, {
        argv: ended.argv,
        exitCode: ended.exitCode,
        hint: `find who uses it (fuser -vm ${place}), then umount it by hand`,
      })
    }
    // A dead mount is not busy, it refuses to be looked at: nothing to wait for.
    await pause(lookMs, undefined, { signal })
  }
  await endClients(place, signal)
}

/** The client ends by itself after its mount; after a lazy unmount, or where there is a copy of the mount, perhaps never. */
async function endClients(place: string, signal: AbortSignal): Promise<void> {
  if (await clientsGone(place, leaveMs, signal)) return
  for (const name of ['SIGTERM', 'SIGKILL'] as const) {
    for (const { pid } of await clientsOf(place)) end(pid, name)
    if (await clientsGone(place, politeMs / 2, signal)) return
  }
}

async function clientsGone(place: string, withinMs: number, signal: AbortSignal): Promise<boolean> {
  const deadline = Date.now() + withinMs
  while ((await clientsOf(place)).length > 0) {
    if (Date.now() > deadline) return false
    await pause(lookMs, undefined, { signal })
  }
  return true
}

function end(pid: number, name: 'SIGTERM' | 'SIGKILL'): void {
  try {
    process.kill(pid, name)
  } catch {
    // It ended in the meantime.
  }
}

/** The Gluster clients that were started for exactly this mount point. */
async function clientsOf(place: string): Promise<{ pid: number; argv: string[] }[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  const found = await Promise.all(
    pids.map(async (pid) => {
      const argv = (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).split('\0').slice(0, -1)
      return { pid: Number(pid), argv }
    }),
  )
  return found.filter(({ argv }) => basename(argv[0] ?? '') === 'glusterfs' && argv.at(-1) === place)
}

/** Undoes the octal escapes of mountinfo. */
function unescaped(text: string): string {
  return text.replaceAll(/\\(\d{3})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 8)))
}

/** The client says next to nothing on its standard error: the reason is the last complaint that it added to its log. */
async function lastWords(logFile: string, from: number, cause: unknown): Promise<string> {
  return complaintIn(await readAfter(logFile, from).catch(() => '')) ?? messageOf(cause)
}

/** The last of the worst lines of a client's log, without what is before its words. */
export function complaintIn(log: string): string | undefined {
  const complaints = log.split('\n').filter((line) => /^\[[^\]]+\] [WEC] /.test(line))
  const worst = complaints.findLast((line) => /^\[[^\]]+\] [EC] /.test(line)) ?? complaints.at(-1)
  const words = worst?.replace(/^\[[^\]]+\] [WEC] (\[MSGID: \d+\] )?\[[^\]]*\] /, '')
  return oneLine(words ?? '') || undefined
}

async function readAfter(file: string, from: number): Promise<string> {
  await using log = await open(file)
  const { buffer, bytesRead } = await log.read({ buffer: Buffer.alloc(64 * 1024), position: from })
  return buffer.toString('utf8', 0, bytesRead)
}

/** Makes the directory of a second mount, also when a mount of an earlier process is left there. */
export async function besides(dir: string, signal: AbortSignal): Promise<void> {
  await unmount(dir, signal)
  await mkdir(dir, { mode: 0o700 })
}
