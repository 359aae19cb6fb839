import { backupPlay } from '../backup/play.ts'
import type { AskedFor } from '../cli/asked.ts'
import { labelEvent } from '../cli/label-event.ts'
import { renderReport } from '../cli/render-report.ts'
import type { Config, JobConfig } from '../config/keys.ts'
import { Refused, UsageError } from '../model/errors.ts'
import { nameOfPair, type Pair } from '../model/pair.ts'
import type { RunEvent } from '../run/event.ts'
import { perform } from '../run/perform.ts'
import { exitCodeOf, type Outcome, type Report } from '../run/report.ts'
import { createSite, optionsOf } from '../site.ts'
import { followJob } from './follow-job.ts'
import { listenersFor } from './listeners.ts'
import { type AnyRequest, logDirIn, prepare } from './prepare.ts'
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
  const { emit, end } = listenersFor({ logging }, options.verbosity, terminal)
  const tell = (pair: string, event: RunEvent): void => emit(labelled(job, pair, event))
  let reports: Report[]
  try {
    if (agent === undefined) {
      reports = await runJobHere(meant(job, options.verify), config, { ...request, tell }, terminal)
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

/** What a run of a job is asked with; `tell` gets the pair's name, `volume--host--volume`. */
export type JobRequest = Omit<AnyRequest, 'emit'> & { tell(pair: string, event: RunEvent): void }

/** Performs one run for each pair of the job in this process. Throws no more than a run does: Failure for what cannot be opened. */
export async function runJobHere(
  job: JobConfig,
  config: Config,
  { tell, ...request }: JobRequest,
  { env, version }: Pick<Terminal, 'env' | 'version'>,
): Promise<Report[]> {
  const [pair, ...more] = job.pairs
  if (pair === undefined || more.length > 0) {
    throw new Refused(`job ${job.name} has several pairs of volumes`, { hint: 'run it by the agent' })
  }
  const of = configOf(job, config)
  const site = createSite(of, pair, env, logDirIn(of.state.dir))
  const play = backupPlay(site, optionsOf(of, version), pair.primary)
  const emit = (event: RunEvent): void => tell(nameOfPair(pair), event)
  const report = await perform({ ...request, ...pair, job: job.name, emit }, play)
  await site.hypervisor.close()
  return [report]
}

/** The configuration with what the job says otherwise. */
function configOf({ verify, fullEveryMs, timeoutMs }: JobConfig, config: Config): Config {
  return {
    ...config,
    verify: {
      ...config.verify,
      ...(verify === undefined ? {} : { mode: verify }),
      ...(fullEveryMs === undefined ? {} : { fullEveryMs }),
    },
    replication: { ...config.replication, ...(timeoutMs === undefined ? {} : { timeoutMs }) },
  }
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

/** Says of which pair an event is, where the job has several. */
function labelled(job: JobConfig, name: string, event: RunEvent): RunEvent {
  if (job.pairs.length < 2) return event
  const pair = job.pairs.find((one: Pair) => nameOfPair(one) === name)
  return labelEvent(event, pair?.primary ?? name)
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
