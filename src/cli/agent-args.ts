import type { Command } from 'commander'
import type { Asked } from './asked.ts'
import {
  commonOf,
  commonOptions,
  type Flags,
  flagsOf,
  quietOption,
  verboseOption,
  verifyOption,
} from './common-args.ts'

const ofRun = `
Makes one recovery point for each pair of volumes of the job ([job NAME] of the configuration), now. Where the agent
runs, it is told to, also when the job is paused, and its progress is followed: to interrupt that does not end the run
("vmbackup cancel JOB" does). Where none runs, the run is made by this process.

Examples:
  vmbackup run nightly                 now, and tell how it goes on
  vmbackup run nightly --verify full   without an agent: compare every byte
  vmbackup run nightly --json          one document with the report of each pair

Exit codes, by the pair that fared worst:
  0 protected   1 failed, or no such job   2 usage or configuration   3 partly protected
  4 refused   5 another run holds the lock   130 cancelled, or no longer followed
`

const ofStatus = `
Runs that go on, jobs, VMs behind their RPO, what keeps the agent from its work, the last runs. On a terminal it is kept
up to date until Ctrl-C; elsewhere, or with --once, it is printed once.

Examples:
  vmbackup status
  vmbackup status --once
  vmbackup status --json | jq '.vms'

Exit codes:
  0 told   1 no agent runs   2 usage or configuration
`

const ofActs = `
Exit codes:
  0 done, or so already   1 no agent runs, or there is no such job   2 usage or configuration   4 refused
`

const ofDaemon = `
Stays in the foreground, makes the runs of all jobs when they are due, watches the RPO of every VM, tells whom the
routes name, and answers the other commands on [api] socket. A service manager keeps it running; SIGTERM lets runs that
go on settle first.

Examples:
  vmbackup daemon -c /etc/vmbackup/backup.cfg
  vmbackup daemon --verbose                     every event as a log line

Exit codes:
  0 told to end   1 failed   2 usage or configuration   4 another agent runs
`

/** Adds the commands that talk to the agent or are it; what they ask for is told by `asks`. */
export function addAgentCommands(program: Command, asks: (asked: Asked) => void): void {
  program.commandsGroup('The agent and its jobs:')
  commonOptions(
    program.command('daemon').description('Be the agent: make the runs of all jobs when they are due.'),
  )
    .addOption(quietOption())
    .addOption(verboseOption())
    .addHelpText('after', ofDaemon)
    .action((_options, command: Command) =>
      asks({ kind: 'daemon', options: commonOf(flagsOf<Flags>(command)) }),
    )
  commonOptions(program.command('run').description('Make a run of a job now.'))
    .argument('<job>', 'its name in the configuration')
    .addOption(verifyOption())
    .addOption(quietOption())
    .addOption(verboseOption())
    .addHelpText('after', ofRun)
    .action((job: string, _options, command: Command) => {
      asks({ kind: 'run job', job, options: commonOf(flagsOf<Flags>(command)) })
    })
  commonOptions(program.command('status').description('Show what the agent does and how VMs and jobs stand.'))
    .option('--once', 'print it once, also on a terminal')
    .addHelpText('after', ofStatus)
    .action((_options, command: Command) => {
      const flags = flagsOf<Flags & { once?: true }>(command)
      asks({ kind: 'status', once: flags.once === true, options: commonOf(flags) })
    })
  commonOptions(program.command('jobs').description('List the jobs with schedule, next run and volumes.'))
    .addHelpText('after', '\nExit codes:\n  0 listed   1 no agent runs   2 usage or configuration\n')
    .action((_options, command: Command) =>
      asks({ kind: 'jobs', options: commonOf(flagsOf<Flags>(command)) }),
    )
  const acts = {
    pause: 'Start no run of a job by schedule until it is resumed, also over restarts.',
    resume: 'Start runs of a paused job by schedule again.',
    cancel: 'End the run of a job in good order, or take it out of the queue.',
  } as const
  for (const act of ['pause', 'resume', 'cancel'] as const) {
    commonOptions(program.command(act).description(acts[act]))
      .argument('<job>', 'its name in the configuration')
      .addHelpText('after', ofActs)
      .action((job: string, _options, command: Command) => {
        asks({ kind: 'job act', act, job, options: commonOf(flagsOf<Flags>(command)) })
      })
  }
}
