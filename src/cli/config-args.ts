import { type Command, Option } from 'commander'
import type { Asked, TokenAct } from './asked.ts'
import { commonOf, commonOptions, type Flags, flagsOf } from './common-args.ts'

const ofCheck = `
Reads the configuration as every command does, prints what would be used, defaults and all, without secrets, and warns
on standard error. Nothing is asked of engine or Gluster: --dry-run does that.

Examples:
  vmbackup config check
  vmbackup config check -c new.cfg > effective.cfg

Exit codes:
  0 it can be used   2 it cannot: each problem with its line
`

const ofToken = `
Tokens let programs use the HTTP API at [api] listen; the socket of this machine needs none. Only a hash is kept: the
token is shown once.

Examples:
  vmbackup token add grafana --rights read
  curl -H "Authorization: Bearer $TOKEN" http://127.0.0.1:9736/api/v1/status
  vmbackup token remove grafana        good for nothing from now on

Exit codes:
  0 done   1 failed, or no such token   2 usage or configuration   4 there is one of that name
`

const ofAlert = `
Sends one message now, without the agent and its outbox, to every receiver of the route, and says who took it.

Examples:
  vmbackup alert test
  vmbackup alert test ops

Exit codes:
  0 everybody took it   1 somebody did not, or there is no such route   2 usage or configuration
`

/** Adds the commands about the configuration and the tokens of the API; what they ask for is told by `asks`. */
export function addConfigCommands(program: Command, asks: (asked: Asked) => void): void {
  program.commandsGroup('Settings:')
  const config = program.command('config').description('Look at the configuration.')
  commonOptions(config.command('check').description('Check the configuration and print what would be used.'))
    .addHelpText('after', ofCheck)
    .action((_options, command: Command) => {
      asks({ kind: 'config check', options: commonOf(flagsOf<Flags>(command)) })
    })
  const alert = program.command('alert').description('Try the ways of telling.')
  commonOptions(alert.command('test').description('Send a test message.'))
    .argument('[route]', 'only to this one')
    .addHelpText('after', ofAlert)
    .action((route: string | undefined, _options, command: Command) => {
      const options = commonOf(flagsOf<Flags>(command))
      asks({ kind: 'alert test', ...(route === undefined ? {} : { route }), options })
    })
  const token = program.command('token').description('Make, list and remove tokens of the HTTP API.')
  token.addHelpText('after', ofToken)
  const act = (command: Command, does: TokenAct): void => {
    asks({ kind: 'token', act: does, options: commonOf(flagsOf<Flags>(command)) })
  }
  commonOptions(token.command('add').description('Make a token and print it, once.'))
    .argument('<name>', 'who or what it is for')
    .addOption(
      new Option('--rights <rights>', 'read: look at everything; operate: act, too')
        .choices(['read', 'operate'])
        .makeOptionMandatory(),
    )
    .addHelpText('after', ofToken)
    .action((name: string, _options, command: Command) => {
      act(command, { does: 'add', name, right: flagsOf<{ rights: 'read' | 'operate' }>(command).rights })
    })
  commonOptions(token.command('list').description('List the tokens, without their text.'))
    .addHelpText('after', ofToken)
    .action((_options, command: Command) => act(command, { does: 'list' }))
  commonOptions(token.command('remove').description('Make a token good for nothing.'))
    .argument('<name>', 'its name')
    .addHelpText('after', ofToken)
    .action((name: string, _options, command: Command) => act(command, { does: 'remove', name }))
}
