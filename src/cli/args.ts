import { Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import { UsageError } from '../model/errors.ts'
import type { Pair } from '../model/pair.ts'
import { oneLine } from '../model/shown.ts'
import {
  type CommonOptions,
  commonOf,
  configOption,
  type Flags,
  jsonOption,
  parsePair,
  quietOption,
  stateDirOption,
  verboseOption,
} from './common-args.ts'
import { addPointCommands } from './point-args.ts'
import { addRecoverCommand } from './recover-args.ts'

/** What the command line asks for. */
export type Asked =
  | { kind: 'say'; text: string }
  | { kind: 'run'; dryRun: boolean; pair: Pair; options: CommonOptions }
  | {
      kind: 'recover'
      /** Without it: every pair for which the state directory owes something. */
      pair?: Pair
      dryRun: boolean
      /** Numbers of entries to be struck without being settled. */
      waive: number[]
      options: CommonOptions
    }
  | { kind: 'points'; at: Place; json: boolean }
  | {
      kind: 'verify'
      at: Place
      /** Names of points, perhaps cut short; empty = the newest. */
      points: string[]
      /** False: everything but the disks' content. */
      content: boolean
      parallel: number
      bytesPerSecond?: number
      json: boolean
      quiet: boolean
    }

/** Where recovery points lie: a volume to be mounted, or a directory on which it is mounted already. */
export type Place = { host: string; volume: string } | { dir: string }

const teaching = `
What a run does:
  preflight, snapshot of all running VMs, geo-replication up to a checkpoint, comparison of both
  ends, merge of the snapshots, clean-up on the secondary, proof, manifest, closing event.

Examples:
  vmbackup data dr1.example.com data-dr --dry-run     what would be done; touches nothing
  vmbackup data dr1.example.com data-dr               one recovery point
  vmbackup data geoaccount@dr1 data-dr --timeout 240  with a session of another user, at most 4 h
  vmbackup recover --dry-run                          what interrupted runs have left to be settled
  vmbackup points --at dr1.example.com:data-dr        the recovery points there
  vmbackup verify --at dr1.example.com:data-dr        prove the newest one, without primary and engine

Exit codes:
  0 protected   1 failed   2 usage or configuration   3 partly protected
  4 refused in preflight, nothing touched   5 another run holds the lock   130 cancelled
`

/** Reads the command line (without node and script); throws UsageError for what cannot be meant. */
export function parseArgs(argv: readonly string[], version: string): Asked {
  let said = ''
  let asked: Asked | undefined
  const program = new Command('vmbackup')
    .description('Turns Gluster geo-replication of an oVirt storage domain into proved recovery points.')
    .argument('<primary-volume>', 'Gluster volume that holds the storage domain')
    .argument('<secondary-host>', '[user@]host of the geo-replication session at the second site')
    .argument('<secondary-volume>', 'Gluster volume there')
    .addOption(configOption())
    .option('--timeout <minutes>', 'time allowed for the replication', positive)
    .option('--interval <seconds>', 'time between two looks at engine and replication', positive)
    .addOption(
      new Option('--verify <mode>', 'how the copy is compared with its source').choices([
        'quick',
        'full',
        'off',
      ]),
    )
    .option('--dry-run', 'check everything, print the plan, touch nothing')
    .addOption(jsonOption())
    .addOption(stateDirOption())
    .addOption(quietOption())
    .addOption(verboseOption())
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .addHelpText('after', teaching)
    .exitOverride()
    .configureOutput({ writeOut: (text) => (said += text), writeErr: () => undefined })
    .action((primary: string, host: string, secondary: string) => {
      const flags = program.opts<Flags>()
      const pair = parsePair(primary, host, secondary)
      asked = { kind: 'run', dryRun: flags.dryRun === true, pair, options: commonOf(flags) }
    })
  const asks = (found: Asked): void => {
    asked = found
  }
  addRecoverCommand(program, asks)
  addPointCommands(program, asks)
  try {
    program.parse([...argv], { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    if (error.exitCode === 0) return { kind: 'say', text: said }
    throw new UsageError(oneLine(error.message.replace(/^error: /, '')), {
      cause: error.cause,
      hint: 'vmbackup --help shows the usage and examples',
    })
  }
  if (asked === undefined) throw new UsageError('nothing to do', { hint: 'vmbackup --help shows the usage' })
  return asked
}

/** Whether JSON was asked for, also when the rest of the command line is wrong. */
export function asksForJson(argv: readonly string[]): boolean {
  const end = argv.indexOf('--')
  return (end < 0 ? argv : argv.slice(0, end)).includes('--json')
}

function positive(text: string): number {
  const value = Number(text)
  if (/^\d+(\.\d+)?$/.test(text) && value > 0 && value <= 1e6) return value
  throw new InvalidArgumentError('It must be a number above 0.')
}
