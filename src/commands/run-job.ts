import type { AskedFor } from '../cli/asked.ts'
import { labelEvent } from '../cli/label-event.ts'
import { renderReport } from '../cli/render-report.ts'
import type { JobConfig } from '../config/keys.ts'
import { UsageError } from '../model/errors.ts'
import type { RunEvent } from '../run/event.ts'
import { exitCodeOf, type Outcome, type Report } from '../run/report.ts'
import { followJob } from './follow-job.ts'
import { createRunner } from './job-runner.ts'
import { listenersFor } from './listeners.ts'
import { prepare } from './prepare.ts'
import { jobNamed, print, reach } from './reach.ts'
import type { Terminal } from './terminal.ts'

/** Makes a run of a job now, by the agent where one runs, and tells how it goes on; returns the exit code. */
export async function runJob(asked: AskedFor<'run job'>, terminal: Terminal): Promise<number> {
  const { options } = asked
  const { agent } = await reach(options, terminal)
  const { config, request } = await prepare(options, terminal)
  const job = jobNamed(config, asked.job)
  // The agent has a log of its own.
  const logging = agent === undefined ? config.logging : { ...config.logging, file: undefined }
  const { emit, end } = await listenersFor({ logging }, options.verbosity, terminal)
  const tell = (pair: string, event: RunEvent): void => emit(labelEvent(job.pairs, pair, event))
  let reports: Report[]
  try {
    if (agent === undefined) {
      const runner = createRunner(config, request, terminal)
      reports = await runner.run(meant(job, options.verify), request.signal, tell)
    } else {
      if (options.verify !== undefined) throw ownVerify(job)
      reports = await followJob(agent, job, tell, request)
    }
  } finally {
    end()
  }
  print(terminal, options.json, { version: 1, job: job.name, reports }, () =>
    reports.map((report) => renderReport(report, terminal.paintOut)).join('\n\n'),
  )
  return exitCodeOfAll(reports)
}

/** Who names a mode means it, whatever the job says: it stands in the configuration already (`prepare`). */
function meant(job: JobConfig, verify: string | undefined): JobConfig {
  return verify === undefined ? job : { ...job, verify: undefined, fullEveryMs: undefined }
}

function ownVerify(job: JobConfig): UsageError {
  return new UsageError('--verify cannot be told to the agent that runs', {
    hint: `set verify in [job ${job.name}] and restart the agent, or leave --verify out`,
  })
}

const worstFirst: readonly Outcome[] = [
  'cancelled',
  'failed',
  'refused',
  'locked',
  'usage error',
  'partly protected',
  'protected',
]

/** That of the pair which fared worst. */
function exitCodeOfAll(reports: readonly Report[]): number {
  return exitCodeOf(worstFirst.find((one) => reports.some(({ outcome }) => outcome === one)) ?? 'failed')
}
