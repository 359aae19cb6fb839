import { CommandFailed, Failure } from '../model/errors.ts'
import type { Finding } from '../model/finding.ts'
import type { FoundLimit } from '../model/replication.ts'
import { orFailure } from './asked.ts'
import type { Gluster } from './cli.ts'

// rsync limits each of its processes, and a session has sync-jobs of them for every active brick. So one job for each
// replica set gets its share of the whole: a single large file is then as fast as the share, not a third of it (10.3).
const settings = ['rsync-options', 'sync-jobs'] as const
type Setting = (typeof settings)[number]
const ownJobs = '1'

/** The session's settings that decide how much it may send; `session` are the words of its commands. */
export function bandwidthAt(gluster: Gluster, session: readonly string[]) {
  const get = (name: string, signal: AbortSignal) => gluster.text([...session, 'config', name], signal)

  // gluster takes a value that begins with a dash for an option of its own; gsyncd drops the blank (10.3).
  const set = (name: Setting, value: string, signal: AbortSignal) =>
    gluster.text([...session, 'config', name, value.startsWith('-') ? ` ${value}` : value], signal)

  async function restore(
    name: Setting,
    found: string,
    isOurs: (now: string) => boolean,
    signal: AbortSignal,
  ) {
    const now = await get(name, signal)
    // A setting is set whole: what is neither of the two was somebody else's choice.
    if (now === found || !isOurs(now)) return
    // A default that the administrator has changed for all sessions comes back by this alone.
    await gluster.text([...session, 'config', `!${name}`], signal)
    if ((await get(name, signal)) === found) return
    await set(name, found, signal)
    if ((await get(name, signal)) === found) return
    const argv = [...session, 'config', name]
    throw new CommandFailed(`gluster ${argv.join(' ')}: it is not as it was found`, {
      argv,
      hint: `look at it, and set it by hand: ${found}`,
    })
  }

  return {
    async findings(signal: AbortSignal): Promise<Finding[]> {
      const method = await orFailure(() => get('sync-method', signal))
      // Of a session that cannot be asked the other findings tell.
      if (method instanceof Failure || method === 'rsync') return []
      return [
        {
          severity: 'error',
          subject: `geo-replication session ${session.slice(2).join(' to ')}`,
          what: `its sync-method is ${method}, which no limit of the bandwidth holds for`,
          hint: `gluster ${session.join(' ')} config sync-method rsync, or leave bandwidth out of this job`,
        },
      ]
    },

    async found(signal: AbortSignal): Promise<FoundLimit> {
      const [options, jobs] = settings
      return { [options]: await get(options, signal), [jobs]: await get(jobs, signal) }
    },

    /** `streams`: how many bricks send at the same time. */
    async limit(bytesPerSecond: number, streams: number, found: FoundLimit, signal: AbortSignal) {
      const { options } = checked(found)
      // In KiB; 0 would be no limit at all.
      const share = Math.max(1, Math.floor(bytesPerSecond / 1024 / Math.max(1, streams)))
      // Of several limits rsync takes the last.
      await set('rsync-options', `${options} --bwlimit=${share}`.trim(), signal)
      await set('sync-jobs', ownJobs, signal)
    },

    async restore(found: FoundLimit, signal: AbortSignal): Promise<void> {
      const { options, jobs } = checked(found)
      await restore('rsync-options', options, (now) => isLimited(now, options), signal)
      await restore('sync-jobs', jobs, (now) => now === ownJobs, signal)
    },
  }
}

function isLimited(now: string, found: string): boolean {
  return now.startsWith(found) && /^ ?--bwlimit=\d+$/.test(now.slice(found.length))
}

/** From the ledger it comes as it was written there, perhaps by another version. Throws Failure. */
function checked(found: FoundLimit): { options: string; jobs: string } {
  const [options, jobs] = settings.map((name) => found[name])
  if (options !== undefined && jobs !== undefined && /^\d{1,3}$/.test(jobs)) return { options, jobs }
  throw new Failure('what was noted of the settings of the session is none of them', {
    hint: 'look at rsync-options and sync-jobs of the session, and strike the entry: vmbackup recover --waive',
  })
}
