import { lstat, mkdir, readFile, rename, rmdir, symlink, unlink, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { plainFile } from '../../src/gluster/plain-file.ts'
import { CommandFailed } from '../../src/model/errors.ts'
import type { Finding } from '../../src/model/finding.ts'
import type { OpenVolume, Replication, SessionState } from '../../src/model/replication.ts'
import { type Sent, send } from './directory-copy.ts'

type Method = keyof Replication

/** What goes wrong, changed by a test at any moment. All off by default. */
export interface ReplicationFaults {
  /** What preflight finds. */
  findings: Finding[]
  /** What it finds against a limit. */
  limitFindings: Finding[]
  /** So many starts from now lead to a session that says active and never reaches the checkpoint */
  stalledStarts: number
  /** So many looks at the progress say "waiting" before the checkpoint is reached. */
  slowLooks: number
  /** While true, all bricks are faulty and nothing is sent. */
  faulty: boolean
  /** So many starts from now are answered with success and start nothing. */
  emptyStarts: number
  /** Files (relative path) that arrive with no content although the checkpoint is reached. */
  lost: string[]
  /** Free space of the primary in bytes, of 1 TiB. */
  freeBytes: number
  /** Methods that fail with CommandFailed, and why. */
  failing: Partial<Record<Method, string>>
}

interface Kept {
  state: SessionState
  stalled: boolean
  looks: number
  markedAtMs: number | undefined
  /** As found: `none`. */
  limit: string
  sent: Sent
}

const fresh: Kept = {
  state: 'created',
  stalled: false,
  looks: 0,
  markedAtMs: undefined,
  limit: 'none',
  sent: {},
}

/**
 * Replication between the directories `primary` and `secondary` below `root`. The session is kept in `root` too, so
 * another process (after a kill) sees the same one. What is sent is sent while somebody looks at the progress.
 */
export async function createMemoryReplication(
  root: string,
  given: Partial<ReplicationFaults> = {},
  { primary = 'data', secondary = 'data-dr' } = {},
) {
  const faults: ReplicationFaults = {
    findings: [],
    limitFindings: [],
    stalledStarts: 0,
    slowLooks: 0,
    faulty: false,
    emptyStarts: 0,
    lost: [],
    freeBytes: 2 ** 39,
    failing: {},
    ...given,
  }
  const primaryDir = join(root, 'primary')
  const secondaryDir = join(root, 'secondary')
  const kept = keptIn(join(root, 'session.json'))
  await mkdir(primaryDir, { recursive: true })
  await mkdir(secondaryDir, { recursive: true })

  function enter(method: Method, signal: AbortSignal): void {
    signal.throwIfAborted()
    const why = faults.failing[method]
    if (why !== undefined)
      throw new CommandFailed(`${method}: ${why}`, { argv: ['gluster', method], exitCode: 1 })
  }

  const replication: Replication = {
    async findings(signal) {
      enter('findings', signal)
      return faults.findings
    },
    async pair(signal) {
      enter('pair', signal)
      return {
        primary: { volume: primary, hosts: ['gp1'], sharded: false, replicated: true },
        secondary: { volume: secondary, host: 'gs1' },
      }
    },
    async session(signal) {
      enter('session', signal)
      const { state } = await kept.read()
      const shown = state === 'active' && faults.faulty ? 'faulty' : state
      return { state: shown, bricks: [{ name: `gp1:${primaryDir}`, state: shown }] }
    },
    async start(signal) {
      enter('start', signal)
      const now = await kept.read()
      if (now.state === 'active') return
      if (faults.emptyStarts > 0) {
        faults.emptyStarts -= 1
        return
      }
      const stalled = faults.stalledStarts > 0
      if (stalled) faults.stalledStarts -= 1
      await kept.write({ ...now, state: 'active', stalled, looks: 0 })
    },
    async stop(signal) {
      enter('stop', signal)
      const now = await kept.read()
      if (now.state === 'active' || now.state === 'paused') await kept.write({ ...now, state: 'stopped' })
    },
    async mark(signal) {
      enter('mark', signal)
      await kept.write({ ...(await kept.read()), markedAtMs: Date.now() })
    },
    async marked(signal) {
      enter('marked', signal)
      const { markedAtMs } = await kept.read()
      if (markedAtMs === undefined) throw new CommandFailed('no checkpoint is set', { argv: [] })
      return { at: Math.floor(markedAtMs / 1000) }
    },
    async progress(since, signal) {
      enter('progress', signal)
      const now = await kept.read()
      if (now.state !== 'active') return { state: 'down', detail: `the session is ${now.state}` }
      const waiting = { state: 'waiting', reached: 0, of: 1, busy: false, atWork: true } as const
      if (faults.faulty) return { ...waiting, detail: `gp1:${primaryDir} Faulty` }
      if (now.stalled) return { ...waiting, detail: `gp1:${primaryDir} Active, Changelog Crawl` }
      const before = { ...now, looks: now.looks + 1 }
      const { sent, changedMs } = await send(primaryDir, secondaryDir, now.sent, faults.lost)
      await kept.write({ ...before, sent })
      const marked = now.markedAtMs
      const matches = marked !== undefined && Math.floor(marked / 1000) >= since.at
      if (before.looks > faults.slowLooks && matches && changedMs > marked) return { state: 'reached' }
      return { ...waiting, detail: `gp1:${primaryDir} Active, History Crawl` }
    },
    async limitFindings(signal) {
      enter('limitFindings', signal)
      return faults.limitFindings
    },
    async limitFound(signal) {
      enter('limitFound', signal)
      return { limit: (await kept.read()).limit }
    },
    async limit(bytesPerSecond, _found, signal) {
      enter('limit', signal)
      await kept.write({ ...(await kept.read()), limit: String(bytesPerSecond) })
    },
    async unlimit(found, signal) {
      enter('unlimit', signal)
      await kept.write({ ...(await kept.read()), limit: found['limit'] ?? 'lost' })
    },
    async openPrimary(dir, signal) {
      enter('openPrimary', signal)
      return open(primaryDir, dir, () => faults.freeBytes)
    },
    async openSecondary(dir, signal) {
      enter('openSecondary', signal)
      return open(secondaryDir, dir, () => 2 ** 39)
    },
    async closeVolume(dir, signal) {
      enter('closeVolume', signal)
      await close(dir)
    },
    async nudge(primary, signal) {
      enter('nudge', signal)
      const now = new Date()
      await utimes(primary.dir, now, now)
    },
    async resend(_ends, files, signal) {
      enter('resend', signal)
      const now = await kept.read()
      const sent = Object.fromEntries(Object.entries(now.sent).filter(([path]) => !files.includes(path)))
      await kept.write({ ...now, sent })
    },
  }
  return { replication, faults, primaryDir, secondaryDir }
}

function keptIn(file: string) {
  return {
    async read(): Promise<Kept> {
      const text = await readFile(file, 'utf8').catch(() => undefined)
      return text === undefined ? fresh : (JSON.parse(text) as Kept)
    },
    async write(next: Kept): Promise<void> {
      await writeFile(`${file}.new`, JSON.stringify(next))
      await rename(`${file}.new`, file)
    },
  }
}

/** "Mounting" puts a link in the directory's place: other processes see it, and it outlives a kill. */
async function open(volume: string, dir: string, free: () => number): Promise<OpenVolume> {
  await rmdir(dir)
  await symlink(volume, dir)
  return {
    dir,
    space: async () => ({ freeBytes: free(), sizeBytes: 2 ** 40 }),
    open: (path) => plainFile(join(dir, path)),
    [Symbol.asyncDispose]: () => close(dir),
  }
}

async function close(dir: string): Promise<void> {
  const found = await lstat(dir).catch(() => undefined)
  if (found === undefined) return
  if (found.isSymbolicLink()) await unlink(dir)
  else await rmdir(dir)
}
