import { resolve } from 'node:path'
import type { Command } from 'commander'
import { UsageError } from '../model/errors.ts'
import { parseHost, parseVolumeName } from '../model/names.ts'
import { shown } from '../model/shown.ts'
import type { Asked, Place } from './asked.ts'
import { commonOf, commonOptions, type Flags, flagsOf, jsonOption, whole } from './common-args.ts'

interface VerifyFlags {
  at: string
  json?: true
  content: boolean
  parallel: number
  rate?: number
  quiet?: true
}

const where = 'where they lie: HOST:VOLUME, which is mounted for reading, or the directory of a mount'

const pointsTeaching = `
Examples:
  vmbackup points                              what the agent, or the history of this state directory, knows
  vmbackup points --at dr1.example.com:data-dr  what really lies there; needs neither primary nor engine

Exit codes:
  0 listed   1 failed   2 usage or configuration
`

const verifyTeaching = `
Proves what the manifest of a recovery point claims, or says what is wrong, against the volume as it is now: the
storage domain, every chain of every protected VM, the VMs' documents, and the content of the disks as far as it was
compared when the point was made. It needs neither the primary site nor an engine, and it only reads.

Exit codes:
  0 every claim holds   1 at least one does not, or there is no such point   2 usage
`

/** Adds the commands that look at recovery points; what they ask for is told by \`asks\`. */
export function addPointCommands(program: Command, asks: (asked: Asked) => void): void {
  commonOptions(program.command('points').description('List recovery points.'))
    .option('--at <place>', `${where}; without it: those that runs from here have told of`)
    .addHelpText('after', pointsTeaching)
    .action((_options, command: Command) => {
      const { at, ...flags } = flagsOf<Flags & { at?: string }>(command)
      if (at === undefined) asks({ kind: 'known points', options: commonOf(flags) })
      else asks({ kind: 'points', at: parsePlace(at), json: flags.json === true })
    })
  program
    .command('verify')
    .description('Prove or refute recovery points, at the recovery site alone.')
    .argument('[points...]', 'their names, as `vmbackup points` prints them; the newest if none is given')
    .requiredOption('--at <place>', where)
    .option('--no-content', 'check everything but the content of the disks')
    .option('--parallel <n>', 'how many disks of a VM are read at the same time', whole, 4)
    .option('--rate <MiB/s>', 'read no more than this', whole)
    .addOption(jsonOption())
    .option('-q, --quiet', 'no progress, only the result')
    .addHelpText('after', verifyTeaching)
    .action((points: string[], _options: VerifyFlags, command: Command) => {
      const flags = flagsOf<VerifyFlags>(command)
      asks({
        kind: 'verify',
        at: parsePlace(flags.at),
        points,
        content: flags.content,
        parallel: flags.parallel,
        ...(flags.rate === undefined ? {} : { bytesPerSecond: flags.rate * 1024 * 1024 }),
        json: flags.json === true,
        quiet: flags.quiet === true,
      })
    })
}

function parsePlace(text: string): Place {
  const colon = text.indexOf(':')
  if (colon < 0 || text.includes('/')) {
    if (text.startsWith('/') || text.startsWith('.')) return { dir: resolve(text) }
    throw new UsageError(`${shown(text)} is neither HOST:VOLUME nor a directory`, {
      hint: 'give --at dr1.example.com:data-dr, or the absolute path of a mount',
    })
  }
  return {
    host: parseHost(text.slice(0, colon)),
    volume: parseVolumeName(text.slice(colon).replace(/^::?/, '')),
  }
}
