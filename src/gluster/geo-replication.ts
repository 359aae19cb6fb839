import { utimes } from 'node:fs/promises'
import { CommandFailed } from '../model/errors.ts'
import type { Pair } from '../model/pair.ts'
import type { OpenVolume, Replication } from '../model/replication.ts'
import { askPrimary, askSecondary, refusing, secondaryUrl, sessionWords } from './asked.ts'
import { bandwidthAt } from './bandwidth.ts'
import { glusterAt, NotThere } from './cli.ts'
import { judge } from './findings.ts'
import { learn } from './learn.ts'
import { type End, resend } from './resend.ts'
import {
  type BrickRow,
  bricksWithoutRow,
  checkpointIn,
  findSession,
  progressOf,
  sessionOf,
} from './status.ts'
import { isSharded, type VolumeInfo } from './volume-info.ts'
import { type Mounted, volumesAt } from './volumes.ts'

/** The names as parseVolumeName, parseHost and parseUserName let them through. */
export interface GeoReplicationOptions extends Pair {
  /** What stands before each gluster command to reach a primary node; empty when this is one. */
  command?: readonly string[]
  /** The same for a command on the secondary, which only preflight asks. */
  secondaryCommand?: readonly string[]
  /** Where the mounts of this machine keep their logs; an existing directory. */
  logDir: string
  /** For one command; default 120 s, as long as gluster itself waits. */
  timeoutMs?: number
  /** How long a command is repeated while Gluster is busy; default 60 s. */
  busyMs?: number
  /** For one mount; default 60 s. */
  mountMs?: number
}

/** Replication by Gluster's geo-replication. Volumes are mounted on this machine, wherever the commands run. */
export function createGeoReplication(options: GeoReplicationOptions): Replication {
  const { primary: primaryVolume, secondary: copy, command = [], secondaryCommand, logDir } = options
  const { timeoutMs = 120_000, busyMs = 60_000, mountMs = 60_000 } = options
  const gluster = glusterAt({ prefix: command, timeoutMs, busyMs })
  const volumes = volumesAt({ logDir, mountMs, pair: options })
  const session = sessionWords(options)
  const bandwidth = bandwidthAt(gluster, session)
  // Asked for once after each mark: a poll that asks for it each time would double the load on Gluster.
  let layout: VolumeInfo | undefined
  const mounted = new Map<string, Mounted>()

  /** Remembers an open volume until it is closed. */
  function keep(opened: Mounted): OpenVolume {
    mounted.set(opened.dir, opened)
    return {
      ...opened,
      async [Symbol.asyncDispose]() {
        mounted.delete(opened.dir)
        await opened[Symbol.asyncDispose]()
      },
    }
  }

  const endOf = ({ dir }: OpenVolume): End => mounted.get(dir)?.end ?? { dir }

  async function rows(signal: AbortSignal): Promise<BrickRow[]> {
    const root = await gluster.xml([...session, 'status'], signal)
    const found = findSession(root, copy)
    if (found !== undefined) return found.rows
    const end = secondaryUrl(options)
    throw new NotThere(`the geo-replication session ${primaryVolume} to ${end} does not exist`, {
      argv: session,
    })
  }

  /** Gluster sets what it can reach and calls that success; a node that is down would keep its setting (10.3). */
  async function seeAllThere(signal: AbortSignal): Promise<void> {
    const { sets } = await askPrimary(gluster, options, signal)
    const hosts = new Set(bricksWithoutRow(await rows(signal), sets).map(({ host }) => host))
    if (hosts.size === 0) return
    const names = [...hosts].join(', ')
    throw new CommandFailed(`settings of the session do not reach ${names}, whose glusterd does not answer`, {
      argv: session,
      hint: `start glusterd on ${names}`,
    })
  }

  /** True when Gluster did it, false when it was so already. */
  async function change(act: 'start' | 'stop', already: RegExp, signal: AbortSignal): Promise<boolean> {
    try {
      await gluster.xml([...session, act], signal)
      return true
    } catch (error) {
      if (error instanceof CommandFailed && already.test(error.message)) return false
      throw error
    }
  }

  async function start(signal: AbortSignal): Promise<void> {
    if (await change('start', /already started/i, signal)) return
    // Gluster says so of a paused session too, and leaves it paused (10.3).
    if (sessionOf(await rows(signal)).state !== 'paused') return
    await stop(signal)
    await change('start', /already started/i, signal)
  }

  async function stop(signal: AbortSignal): Promise<void> {
    try {
      await change('stop', /already stopped|not (yet )?(started|running)/i, signal)
    } catch (cause) {
      if (!(cause instanceof CommandFailed)) throw cause
      const [, peer] = /Peer (\S+), which is a part of .*, is down/.exec(cause.message) ?? []
      if (peer === undefined) throw cause
      // With one glusterd down Gluster refuses to stop the others (10.3). Its worker may live on, and take over.
      await gluster.text([...session, 'stop', 'force'], signal)
      throw new CommandFailed(
        `the session is stopped, but perhaps not on ${peer}, whose glusterd does not answer`,
        {
          argv: cause.argv,
          cause,
          hint: `start glusterd on ${peer}, then: gluster ${session.join(' ')} stop`,
        },
      )
    }
  }

  return {
    async findings(signal) {
      return judge(await learn(gluster, options, { secondaryCommand, timeoutMs }, signal))
    },

    pair: (signal) =>
      refusing(async () => {
        const primary = await askPrimary(gluster, options, signal)
        const { hosts, replicated } = primary
        return {
          primary: {
            volume: primaryVolume,
            hosts,
            sharded: isSharded(primary),
            replicated,
          },
          secondary: { volume: copy.volume, host: copy.host },
        }
      }),

    session: (signal) => refusing(async () => sessionOf(await rows(signal))),

    start: (signal) => refusing(() => start(signal)),

    stop: (signal) => refusing(() => stop(signal)),

    mark: (signal) =>
      refusing(async () => {
        layout = undefined
        await gluster.text([...session, 'config', 'checkpoint', 'now'], signal)
      }),

    marked: (signal) =>
      refusing(async () => {
        // `now` is the clock of the node that runs the command: only what it wrote down compares with the status.
        const argv = [...session, 'config', 'checkpoint']
        const printed = await gluster.text(argv, signal)
        const at = checkpointIn(printed)
        if (at !== undefined) return { at }
        const said = JSON.stringify(printed.slice(0, 200))
        throw new CommandFailed(`reading the checkpoint of ${secondaryUrl(options)}: not a time: ${said}`, {
          argv,
        })
      }),

    progress: (since, signal) =>
      refusing(async () => {
        layout ??= await askPrimary(gluster, options, signal)
        return progressOf(await rows(signal), layout.sets, since)
      }),

    limitFindings: (signal) => bandwidth.findings(signal),

    limitFound: (signal) => refusing(() => bandwidth.found(signal)),

    limit: (bytesPerSecond, found, signal) =>
      refusing(async () => {
        const { sets } = layout ?? (await askPrimary(gluster, options, signal))
        await bandwidth.limit(bytesPerSecond, sets.length, found, signal)
      }),

    unlimit: (found, signal) =>
      refusing(async () => {
        await seeAllThere(signal)
        await bandwidth.restore(found, signal)
      }),

    openPrimary: (dir, signal) =>
      refusing(async () => {
        const primary = await askPrimary(gluster, options, signal)
        const { hosts } = primary
        return keep(await volumes.openPrimary({ hosts, sharded: isSharded(primary) }, dir, signal))
      }),

    openSecondary: (dir, signal) =>
      refusing(async () => {
        const secondary = await askSecondary(gluster, options, signal)
        const hosts = [...new Set([copy.host, ...secondary.hosts])]
        return keep(await volumes.openSecondary({ hosts, sharded: isSharded(secondary) }, dir, signal))
      }),

    async closeVolume(dir, signal) {
      mounted.delete(dir)
      await volumes.close(dir, signal)
    },

    async nudge({ dir }, signal) {
      signal.throwIfAborted()
      const now = new Date()
      await utimes(dir, now, now)
    },

    async resend({ primary, secondary }, files, signal) {
      if (files.length === 0) return
      const there = secondary === undefined ? {} : { secondary: endOf(secondary) }
      await resend({ primary: endOf(primary), ...there }, files, signal)
    },
  }
}
