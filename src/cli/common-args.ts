import { Option } from 'commander'
import { UsageError } from '../model/errors.ts'
import { parseHost, parseUserName, parseVolumeName } from '../model/names.ts'

/** The volumes of a run, as the command line names them. */
export interface Target {
  primaryVolume: string
  secondaryUser?: string
  secondaryHost: string
  secondaryVolume: string
}

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
export function parseTarget(primary: string, host: string, secondary: string): Target {
  const at = host.lastIndexOf('@')
  return {
    primaryVolume: parseVolumeName(primary),
    ...(at < 0 ? {} : { secondaryUser: parseUserName(host.slice(0, at)) }),
    secondaryHost: parseHost(host.slice(at + 1)),
    secondaryVolume: parseVolumeName(secondary),
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

// The options that several commands have, each made anew for each of them.
export const configOption = () =>
  new Option('-c, --config <file>', 'configuration (default: ./backup.cfg, else /etc/vmbackup/backup.cfg)')
export const jsonOption = () => new Option('--json', 'print one JSON document on standard output')
export const stateDirOption = () => new Option('--state-dir <dir>', 'where ledger, lock and history are kept')
export const quietOption = () => new Option('-q, --quiet', 'no progress; only warnings and the result')
export const verboseOption = () => new Option('-v, --verbose', 'every event as a log line')
