import { type Command, InvalidArgumentError } from 'commander'
import { UsageError } from '../model/errors.ts'
import type { Asked } from './asked.ts'
import {
  commonOf,
  configOption,
  type Flags,
  flagsOf,
  jsonOption,
  parsePair,
  quietOption,
  stateDirOption,
  verboseOption,
} from './common-args.ts'

const teaching = `
A run writes down what it will owe before it makes it: snapshots, overlays on the secondary, a running session, mounts,
frozen guests, a job, the closing event. Whatever killed it, this settles what is left, by the same code that every run
begins with. It looks before it acts, so repeating it is harmless. Without volumes it does so for every pair for which the state
directory owes something.

Examples:
  vmbackup recover --dry-run                  what is owed; touches nothing
  vmbackup recover                            settle it
  vmbackup recover data dr1 data-dr --json    for one pair, as JSON
  vmbackup recover --waive 17                 strike number 17 without settling it: its machine, say, is gone for good

Exit codes:
  0 nothing is owed any more   1 something is   2 usage or configuration   5 a run holds the lock   130 cancelled
`

/** Adds the command that settles what earlier runs owe; what it asks for is told by `asks`. */
export function addRecoverCommand(program: Command, asks: (asked: Asked) => void): void {
  program
    .command('recover')
    .description('Settle what interrupted runs have left.')
    .argument('[primary-volume]', 'with both others: only for this pair')
    .argument('[secondary-host]', '[user@]host of the session')
    .argument('[secondary-volume]', 'volume there')
    .addOption(configOption())
    .option('--dry-run', 'list what is owed, touch nothing')
    .option('--waive <number>', 'strike this entry without settling it; may be repeated', numbers)
    .addOption(jsonOption())
    .addOption(stateDirOption())
    .addOption(quietOption())
    .addOption(verboseOption())
    .addHelpText('after', teaching)
    .action((primary, host, secondary, _options, command: Command) => {
      const flags = flagsOf<Flags & { waive?: number[] }>(command)
      const names = [primary, host, secondary].filter((name): name is string => name !== undefined)
      if (names.length % 3 !== 0) {
        throw new UsageError('give all three names of a pair, or none', {
          hint: 'vmbackup recover <primary-volume> <secondary-host> <secondary-volume>',
        })
      }
      asks({
        kind: 'recover',
        ...(names.length === 0 ? {} : { pair: parsePair(primary, host, secondary) }),
        dryRun: flags.dryRun === true,
        waive: flags.waive ?? [],
        options: commonOf(flags),
      })
    })
}

function numbers(text: string, before: number[] = []): number[] {
  if (/^[1-9]\d{0,14}$/.test(text)) return [...before, Number(text)]
  throw new InvalidArgumentError('It must be the number of an entry: vmbackup recover --dry-run shows them.')
}
