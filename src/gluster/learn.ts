import { CommandFailed, Failure } from '../model/errors.ts'
import type { Pair } from '../model/pair.ts'
import { oneLine } from '../model/shown.ts'
import { askPrimary, askSecondary, orFailure, secondaryUrl, sessionWords } from './asked.ts'
import { type Gluster, NotThere } from './cli.ts'
import type { Facts } from './findings.ts'
import { commandLine, hintFor, runAt } from './run.ts'
import { type ListedSession, listedSessions } from './status.ts'

/** Asks all that preflight judges; changes nothing. What cannot be asked is told as the failure of asking. */
export async function learn(
  gluster: Gluster,
  pair: Pair,
  options: { secondaryCommand?: readonly string[] | undefined; timeoutMs: number },
  signal: AbortSignal,
): Promise<Facts> {
  const { secondaryCommand, timeoutMs } = options
  const ask = (prefix: readonly string[], command: readonly string[]) =>
    orFailure(() => firstLine(prefix, command, { timeoutMs, signal }))
  // One after the other: Gluster answers "busy" to commands at the same time.
  const primary = await orAbsent(() => askPrimary(gluster, pair, signal))
  const secondaryVolume = await orAbsent(() => askSecondary(gluster, pair, signal))
  const sessions = await askSessions(gluster, pair, signal)
  const session = sessions instanceof Failure ? undefined : ownOf(sessions, pair)
  return {
    primaryVolume: pair.primary,
    secondary: secondaryUrl(pair),
    primary,
    secondaryVolume,
    sessions,
    session,
    syncMethod:
      session === undefined
        ? undefined
        : await orFailure(() => gluster.text([...sessionWords(pair), 'config', 'sync-method'], signal)),
    secondaryRsync: secondaryCommand && (await ask(secondaryCommand, ['rsync', '--version'])),
    client: await ask([], ['glusterfs', '--version']),
    attributes: await ask([], ['setfattr', '--version']),
  }
}

async function askSessions(gluster: Gluster, { primary }: Pair, signal: AbortSignal) {
  const listed = await orFailure(async () =>
    listedSessions(await gluster.xml(['volume', 'geo-replication', primary, 'status'], signal)),
  )
  return listed instanceof NotThere ? [] : listed
}

function ownOf(sessions: readonly ListedSession[], { secondary }: Pair) {
  return sessions.find(({ host, volume }) => host === secondary.host && volume === secondary.volume)
}

async function firstLine(
  prefix: readonly string[],
  command: readonly string[],
  options: { timeoutMs: number; signal: AbortSignal },
): Promise<string> {
  const { argv, exitCode, stdout, stderr } = await runAt(prefix, command, options)
  if (exitCode === 0) return oneLine(stdout.split('\n')[0] ?? '', 200)
  const said = stderr || stdout
  const hint = hintFor(said)
  throw new CommandFailed(`${commandLine(argv)}: ${oneLine(said, 1000)}`, {
    argv,
    exitCode,
    ...(hint === undefined ? {} : { hint }),
  })
}

async function orAbsent<T>(ask: () => Promise<T>): Promise<T | undefined | Failure> {
  const found = await orFailure(ask)
  return found instanceof NotThere ? undefined : found
}
