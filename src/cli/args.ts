import { Command, CommanderError, InvalidArgumentError } from 'commander'
import { nearest } from '../config/suggest.ts'
import { UsageError } from '../model/errors.ts'
import { oneLine, shown } from '../model/shown.ts'
import { addAgentCommands } from './agent-args.ts'
import type { Asked } from './asked.ts'
import {
  commonOf,
  configOption,
  type Flags,
  jsonOption,
  parsePair,
  quietOption,
  stateDirOption,
  verboseOption,
  verifyOption,
} from './common-args.ts'
import { addConfigCommands } from './config-args.ts'
import { addHistoryCommands } from './history-args.ts'
import { addPointCommands } from './point-args.ts'
import { addRecoverCommand } from './recover-args.ts'
import { addVmCommands } from './vm-args.ts'

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
  vmbackup daemon                                     make the runs of all jobs of the configuration when due
  vmbackup status                                     what that agent does, and how jobs and VMs stand
  vmbackup run nightly                                a run of the job "nightly" now
  vmbackup COMMAND --help                             more about a command, with examples

Exit codes:
  0 protected   1 failed   2 usage or configuration   3 partly protected
  4 refused in preflight, nothing touched   5 another run holds the lock   130 cancelled
`

// Commands that take no names. A volume may be called like one of them, and three names are a run, as ever.
const bare = ['daemon', 'status', 'jobs', 'vms', 'runs', 'history', 'points']

/** Reads the command line (without node and script); throws UsageError for what cannot be meant. */
export function parseArgs(argv: readonly string[], version: string): Asked {
  return read(argv, version, true)
}

function read(argv: readonly string[], version: string, withCommands: boolean): Asked {
  let said = ''
  let asked: Asked | undefined
  const program = classic(version, (found) => {
    asked = found
  }).configureOutput({ writeOut: (text) => (said += text), writeErr: () => undefined })
  if (withCommands) {
    const asks = (found: Asked): void => {
      asked = found
    }
    program.helpCommand('help [command]', 'print the help of a command')
    addAgentCommands(program, asks)
    addVmCommands(program, asks)
    addHistoryCommands(program, asks)
    addPointCommands(program, asks)
    addRecoverCommand(program, asks)
    addConfigCommands(program, asks)
  }
  try {
    program.parse([...argv], { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    if (error.exitCode === 0) return { kind: 'say', text: said }
    const [first = '', ...more] = program.args
    if (error.code === 'commander.excessArguments' && more.length === 2 && bare.includes(first)) {
      return read(argv, version, false)
    }
    throw refusal(error, program)
  }
  if (asked === undefined) throw new UsageError('nothing to do', { hint: 'vmbackup --help shows the usage' })
  return asked
}

/** The command line of one run, without commands. */
function classic(version: string, asks: (asked: Asked) => void): Command {
  const program = new Command('vmbackup')
  return program
    .description('Turns Gluster geo-replication of an oVirt storage domain into proved recovery points.')
    .argument('<primary-volume>', 'Gluster volume that holds the storage domain')
    .argument('<secondary-host>', '[user@]host of the geo-replication session at the second site')
    .argument('<secondary-volume>', 'Gluster volume there')
    .addOption(configOption())
    .option('--timeout <minutes>', 'time allowed for the replication', positive)
    .option('--interval <seconds>', 'time between two looks at engine and replication', positive)
    .addOption(verifyOption())
    .option('--dry-run', 'check everything, print the plan, touch nothing')
    .addOption(jsonOption())
    .addOption(stateDirOption())
    .addOption(quietOption())
    .addOption(verboseOption())
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .configureHelp({ subcommandTerm: (command) => [command.name(), ...command.aliases()].join(', ') })
    .addHelpText('after', teaching)
    .exitOverride()
    .action((primary: string, host: string, secondary: string) => {
      const flags = program.opts<Flags>()
      const pair = parsePair(primary, host, secondary)
      asks({ kind: 'run', dryRun: flags.dryRun === true, pair, options: commonOf(flags) })
    })
}

function refusal(error: CommanderError, program: Command): UsageError {
  const [word = '', ...more] = program.args
  const names = [...program.commands.flatMap((command) => [command.name(), ...command.aliases()]), 'help']
  const meant = more.length < 2 && !names.includes(word) ? nearest(word, names) : undefined
  if (meant !== undefined) {
    return new UsageError(`there is no command ${shown(word)}`, { hint: `did you mean: vmbackup ${meant}` })
  }
  const about = names.includes(word) ? `vmbackup ${word}` : 'vmbackup'
  const what =
    error.code === 'commander.help'
      ? `vmbackup ${word} does nothing by itself`
      : error.message.replace(/^error: /, '')
  return new UsageError(oneLine(what), {
    cause: error.cause,
    hint: `${about} --help shows the usage and examples`,
  })
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
