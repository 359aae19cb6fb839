import { type AgentClient, findAgent } from '../api/client.ts'
import type { CommonOptions } from '../cli/common-args.ts'
import type { Look } from '../cli/look.ts'
import type { Config, JobConfig } from '../config/keys.ts'
import { nearest } from '../config/suggest.ts'
import { Failure, Unknown, UsageError } from '../model/errors.ts'
import { shown } from '../model/shown.ts'
import { settingsFor } from './prepare.ts'
import type { Terminal } from './terminal.ts'

/** What a command has that asks the agent where one runs. */
export interface Reached {
  config: Config
  agent: AgentClient | undefined
}

/** Reads the configuration and looks for the agent on its socket. Throws UsageError; Failure where one may not be asked. */
export async function reach(options: CommonOptions, terminal: Terminal): Promise<Reached> {
  const config = await settingsFor(options, terminal)
  return { config, agent: await findAgent(config.api.socket) }
}

/** The agent, for what only it can do. Throws Failure that says how to start one. */
export function needAgent({ config, agent }: Reached): AgentClient {
  if (agent !== undefined) return agent
  refuseWithoutJobs(config)
  throw new Failure(`no agent runs here: nothing answers on ${config.api.socket}`, {
    hint: 'start it: vmbackup daemon, best as a service; with another configuration: -c FILE',
  })
}

/** The job of that name. Throws UsageError where there is none at all, Unknown for a name that there is not. */
export function jobNamed(config: Config, name: string): JobConfig {
  refuseWithoutJobs(config)
  const job = config.jobs.find((one) => one.name === name)
  if (job !== undefined) return job
  const names = config.jobs.map((one) => one.name)
  const meant = nearest(name, names)
  throw new Unknown(`there is no job ${shown(name)}`, {
    hint: meant === undefined ? `there are: ${names.join(', ')}` : `did you mean ${meant}?`,
  })
}

/** Throws UsageError that says how to write a job. */
export function refuseWithoutJobs({ jobs, file }: Config): void {
  if (jobs.length > 0) return
  throw new UsageError(`${file} has no job`, {
    hint: 'write one: a section [job nightly] with pairs = data dr1.example.com data-dr and rpo = 4h; backup.cfg.example explains them',
  })
}

/** How somebody looks at what is printed once. */
export function lookOf({ paintOut }: Terminal): Look {
  return { now: Date.now(), paint: paintOut }
}

/** Prints a document for programs, or the text for people. */
export function print(terminal: Terminal, json: boolean, document: object, text: () => string): void {
  terminal.stdout.write(json ? `${JSON.stringify(document, null, 2)}\n` : `${text()}\n`)
}
