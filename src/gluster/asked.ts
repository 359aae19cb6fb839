import { CommandFailed, Failure, messageOf, Refused } from '../model/errors.ts'
import type { Pair } from '../model/pair.ts'
import { type Gluster, NotThere } from './cli.ts'
import { type VolumeInfo, volumeInfoOf } from './volume-info.ts'

/** `[user@]host::volume`, as the command line wants it. */
export function secondaryUrl({ secondary: { user, host, volume } }: Pair): string {
  return `${user === undefined ? '' : `${user}@`}${host}::${volume}`
}

/** What every command of the session begins with. */
export function sessionWords(pair: Pair): string[] {
  return ['volume', 'geo-replication', pair.primary, secondaryUrl(pair)]
}

/** What the primary volume is. Throws NotThere when it does not exist. */
export function askPrimary(gluster: Gluster, { primary }: Pair, signal: AbortSignal): Promise<VolumeInfo> {
  return volumeInfo(gluster, primary, [], signal)
}

/** The same of the secondary: a glusterd shows its volumes to any host that asks, as geo-replication itself does. */
export function askSecondary(
  gluster: Gluster,
  { secondary }: Pair,
  signal: AbortSignal,
): Promise<VolumeInfo> {
  return volumeInfo(gluster, secondary.volume, [`--remote-host=${secondary.host}`], signal)
}

async function volumeInfo(
  gluster: Gluster,
  volume: string,
  where: readonly string[],
  signal: AbortSignal,
): Promise<VolumeInfo> {
  const argv = [...where, 'volume', 'info', volume]
  const root = await gluster.xml(argv, signal)
  let why = 'the volume is not in the answer'
  try {
    const found = volumeInfoOf(root, volume)
    if (found !== undefined) return found
  } catch (error) {
    why = messageOf(error)
  }
  throw new CommandFailed(`gluster ${argv.join(' ')}: ${why}`, { argv })
}

/** What does not exist refuses the run. */
export async function refusing<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask()
  } catch (cause) {
    if (!(cause instanceof NotThere)) throw cause
    throw new Refused(cause.message, {
      cause,
      hint: 'the same command with --dry-run says what is missing and how to make it',
    })
  }
}

/** A failure as a value; anything else, as an abort, is thrown. */
export async function orFailure<T>(ask: () => Promise<T>): Promise<T | Failure> {
  try {
    return await ask()
  } catch (error) {
    if (error instanceof Failure) return error
    throw error
  }
}
