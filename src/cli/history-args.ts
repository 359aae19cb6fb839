import type { Command } from 'commander'
import type { Asked } from './asked.ts'
import { commonOf, commonOptions, type Flags, flagsOf, whole } from './common-args.ts'

const ofRuns = `
Examples:
  vmbackup runs                        the newest 20, of all jobs and of the classic command line
  vmbackup history --job nightly --limit 100
  vmbackup runs --json | jq '.runs[0]'

Exit codes:
  0 listed   1 failed, or no such job   2 usage or configuration
`

const ofReport = `
Examples:
  vmbackup report 20261121T0015        the name may be cut short as long as it fits one run
  vmbackup report 20261121T001500Z-1f2e3d4c --json

Exit codes:
  0 told   1 failed, or no such run   2 usage or configuration
`

/** Adds the commands about runs that have ended; what they ask for is told by `asks`. */
export function addHistoryCommands(program: Command, asks: (asked: Asked) => void): void {
  program.commandsGroup('Runs and recovery points:')
  commonOptions(program.command('runs').alias('history').description('List runs that have ended.'))
    .option('--job <name>', 'only those of this job')
    .option('--limit <n>', 'how many, the newest first', whole, 20)
    .addHelpText('after', ofRuns)
    .action((_options, command: Command) => {
      const flags = flagsOf<Flags & { job?: string; limit: number }>(command)
      const job = flags.job === undefined ? {} : { job: flags.job }
      asks({ kind: 'runs', ...job, limit: flags.limit, options: commonOf(flags) })
    })
  commonOptions(program.command('report').description('Print the report of a run.'))
    .argument('<run>', 'its name, as `vmbackup runs` prints it')
    .addHelpText('after', ofReport)
    .action((run: string, _options, command: Command) => {
      asks({ kind: 'report', run, options: commonOf(flagsOf<Flags>(command)) })
    })
}
