import type { AskedFor } from '../cli/asked.ts'
import { renderJobs } from '../cli/render-jobs.ts'
import { lookOf, needAgent, print, reach } from './reach.ts'
import type { Terminal } from './terminal.ts'

/** Lists the agent's jobs; returns the exit code. */
export async function jobs({ options }: AskedFor<'jobs'>, terminal: Terminal): Promise<number> {
  const list = await needAgent(await reach(options, terminal)).jobs()
  print(terminal, options.json, { version: 1, jobs: list }, () => renderJobs(list, lookOf(terminal)))
  return 0
}

const done = {
  pause: 'is paused; a run that goes on is not ended',
  resume: 'starts by schedule again',
  cancel: 'has no run any more, once the one that went on has settled',
} as const

/** Pauses or resumes a job, or ends its run; returns the exit code. */
export async function actOnJob(asked: AskedFor<'job act'>, terminal: Terminal): Promise<number> {
  const { act, job, options } = asked
  const agent = needAgent(await reach(options, terminal))
  await agent[act](job)
  const document = { version: 1, job: (await agent.jobs()).find(({ name }) => name === job) }
  print(terminal, options.json, document, () => `job ${job} ${done[act]}`)
  return 0
}
