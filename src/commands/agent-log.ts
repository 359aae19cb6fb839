import type { AgentEvent } from '../agent/agent.ts'
import type { CommonOptions } from '../cli/common-args.ts'
import { labelEvent } from '../cli/label-event.ts'
import { lineFor } from '../cli/progress.ts'
import type { Config } from '../config/keys.ts'
import { logEvents, openLog } from '../log.ts'
import type { Alert } from '../model/alert.ts'
import { chainOf, hintOf } from '../model/errors.ts'
import type { Terminal } from './terminal.ts'

/** Where the agent writes what it does: lines on standard error, as a journal keeps them, and the log file if there is one. */
export interface AgentLog {
  info(text: string): void
  warn(text: string): void
  error(error: unknown): void
  alert(alert: Alert): void
  event(event: AgentEvent): void
}

/** Throws Failure when the log file cannot be opened. */
export function agentLog(
  { logging: { file, level }, jobs }: Config,
  verbosity: CommonOptions['verbosity'],
  { stderr, env }: Terminal,
): AgentLog {
  const log = file === undefined ? undefined : openLog({ file }, level)
  const line = (text: string): void => {
    // A journal has times of its own.
    const time = env['JOURNAL_STREAM'] === undefined ? `${new Date().toISOString()} ` : ''
    stderr.write(`${time}${text}\n`)
  }
  return {
    info(text) {
      if (verbosity !== 'quiet') line(text)
      log?.info(text)
    },
    warn(text) {
      line(`warning: ${text}`)
      log?.warn(text)
    },
    error(error) {
      const hint = hintOf(error)
      const text = chainOf(error).join(': ') + (hint === undefined ? '' : `; ${hint}`)
      line(`error: ${text}`)
      log?.error(text)
    },
    alert({ severity, title, text, ...rest }) {
      line(`${severity}: ${title}`)
      log?.[severity === 'normal' ? 'info' : 'warn']({ ...rest, text }, title)
    },
    event(event) {
      if (event.kind !== 'run') return
      const pairs = jobs.find(({ name }) => name === event.job)?.pairs ?? []
      const text = lineFor(labelEvent(pairs, event.pair, event.event))
      if (text !== undefined && verbosity !== 'quiet') line(`${event.job}: ${text}`)
      if (log !== undefined) logEvents(log.child({ job: event.job, pair: event.pair }))(event.event)
    },
  }
}
