import { type Command, InvalidArgumentError, Option } from 'commander'
import { UsageError } from '../model/errors.ts'
import { parseHost, parseUserName, parseVolumeName } from '../model/names.ts'
import type { Pair } from '../model/pair.ts'

/** Options of every command that acts. */
export interface CommonOptions {
  config?: string
  timeoutMinutes?: number
  intervalSeconds?: number
  verify?: string
  stateDir?: string
  json: boolean
  verbosity: 'quiet' | 'normal' | 'verbose'
}

/** As commander has them. */
export interface Flags {
  config?: string
  timeout?: number
  interval?: number
  verify?: 'quick' | 'full' | 'off'
  stateDir?: string
  json?: true
  dryRun?: true
  quiet?: true
  verbose?: true
}

/** Throws UsageError for names that Gluster would not take. */
export function parsePair(primary: string, host: string, volume: string): Pair {
  const at = host.lastIndexOf('@')
  return {
    primary: parseVolumeName(primary),
    secondary: {
      ...(at < 0 ? {} : { user: parseUserName(host.slice(0, at)) }),
      host: parseHost(host.slice(at + 1)),
      volume: parseVolumeName(volume),
    },
  }
}

/** Throws UsageError for options that exclude each other. */
export function commonOf(flags: Flags): CommonOptions {
  if (flags.quiet && flags.verbose) {
    throw new UsageError('--quiet and --verbose exclude each other', { hint: 'give one of them' })
  }
  return {
    ...(flags.config === undefined ? {} : { config: flags.config }),
    ...(flags.timeout === undefined ? {} : { timeoutMinutes: flags.timeout }),
    ...(flags.interval === undefined ? {} : { intervalSeconds: flags.interval }),
    ...(flags.verify === undefined ? {} : { verify: flags.verify }),
    ...(flags.stateDir === undefined ? {} : { stateDir: flags.stateDir }),
    json: flags.json === true,
    verbosity: flags.quiet ? 'quiet' : flags.verbose ? 'verbose' : 'normal',
  }
}

/**
 * The options of a command with those given before its name. The program has options of its own, which commander takes wherever
 * they stand: throws UsageError for one that means nothing to this command, lest a --dry-run be passed over.
 */
export function flagsOf<T extends object>(command: Command): T {
  const own = new Set(command.options.map((option) => option.attributeName()))
  for (let above = command.parent; above !== null; above = above.parent) {
    for (const option of above.options) {
      const name = option.attributeName()
      if (own.has(name) || above.getOptionValueSource(name) !== 'cli') continue
      throw new UsageError(`${option.long} is no option of vmbackup ${command.name()}`, {
        hint: `vmbackup ${command.name()} --help shows those that are`,
      })
    }
  }
  return command.optsWithGlobals<T>()
}

/** What every command has that reads the configuration. */
export function commonOptions(command: Command): Command {
  return command.addOption(configOption()).addOption(stateDirOption()).addOption(jsonOption())
}

/** For commander: a count. */
export function whole(text: string): number {
  const value = Number(text)
  if (/^\d{1,6}$/.test(text) && value > 0) return value
  throw new InvalidArgumentError('It must be a whole number above 0.')
}

// The options that several commands have, each made anew for each of them.
export const configOption = () =>
  new Option('-c, --config <file>', 'configuration (default: ./backup.cfg, else /etc/vmbackup/backup.cfg)')
export const jsonOption = () => new Option('--json', 'print one JSON document on standard output')
export const stateDirOption = () => new Option('--state-dir <dir>', 'where ledger, lock and history are kept')
export const quietOption = () => new Option('-q, --quiet', 'no progress; only warnings and the result')
export const verboseOption = () => new Option('-v, --verbose', 'every event as a log line')
export const verifyOption = () =>
  new Option('--verify <mode>', 'how the copy is compared with its source').choices(['quick', 'full', 'off'])
