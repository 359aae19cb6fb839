import type { Command } from 'commander'
import type { Asked } from './asked.ts'
import { commonOf, commonOptions, type Flags, flagsOf } from './common-args.ts'

const ofVms = `
Every VM with disks on the volumes of the jobs: its policy and job, its newest proved recovery point, how old that is,
how old it may become (RPO), and whether a run will end before that.

Examples:
  vmbackup vms
  vmbackup vms --job nightly
  vmbackup vms --json | jq -r '.vms[] | select(.rpo == "breach") | .name'

Exit codes:
  0 listed   1 failed, or no such job   2 usage or configuration
`

const ofProtect = `
A policy is a tag on the VM in the engine ([policy NAME] tag), so its portal shows it and can set it, too. Which VMs a
job takes is its own matter: "select = policy" takes those with any.

Examples:
  vmbackup protect web01 web02 --policy gold
  vmbackup protect db                          where there is one policy only
  vmbackup unprotect web02                     no policy, and out of every selection

Exit codes:
  0 done, or so already   1 failed, or no such VM or policy   2 usage or configuration   4 refused
`

/** Adds the commands about VMs; what they ask for is told by `asks`. */
export function addVmCommands(program: Command, asks: (asked: Asked) => void): void {
  program.commandsGroup('VMs:')
  commonOptions(
    program.command('vms').description('List the VMs: policy, newest proved point, RPO, forecast.'),
  )
    .option('--job <name>', 'only those of this job')
    .addHelpText('after', ofVms)
    .action((_options, command: Command) => {
      const flags = flagsOf<Flags & { job?: string }>(command)
      asks({ kind: 'vms', ...(flags.job === undefined ? {} : { job: flags.job }), options: commonOf(flags) })
    })
  commonOptions(program.command('protect').description('Give VMs a policy, by its tag in the engine.'))
    .argument('<vm...>', 'names or ids')
    .option('--policy <name>', 'which; may be left out where there is one only')
    .addHelpText('after', ofProtect)
    .action((vms: string[], _options, command: Command) => {
      const flags = flagsOf<Flags & { policy?: string }>(command)
      const policy = flags.policy === undefined ? {} : { policy: flags.policy }
      asks({ kind: 'protect', vms, ...policy, options: commonOf(flags) })
    })
  commonOptions(
    program.command('unprotect').description('Take policies from VMs and keep them out of every job.'),
  )
    .argument('<vm...>', 'names or ids')
    .addHelpText('after', ofProtect)
    .action((vms: string[], _options, command: Command) => {
      asks({ kind: 'unprotect', vms, options: commonOf(flagsOf<Flags>(command)) })
    })
}
