import { historyIn } from '../agent/history.ts'
import type { RunSummary } from '../agent/view.ts'
import type { AskedFor } from '../cli/asked.ts'
import { renderKnownPoints } from '../cli/render-points.ts'
import { renderReport } from '../cli/render-report.ts'
import { renderRuns } from '../cli/render-runs.ts'
import { Unknown } from '../model/errors.ts'
import { oneLine, shown } from '../model/shown.ts'
import type { Report } from '../run/report.ts'
import { jobNamed, lookOf, print, type Reached, reach } from './reach.ts'
import type { Terminal } from './terminal.ts'

/** What is known of earlier runs, by the agent or by the state directory. */
interface Past {
  runs(query: { job?: string; limit: number }): Promise<RunSummary[]>
  report(run: string): Promise<Report | undefined>
}

/** As `runId` makes them; the agent answers to no other. */
const wholeId = /^\d{8}T\d{6}Z-[0-9a-f]{8}$/
/** Among so many newest runs one is looked for whose name was cut short. */
const mostRuns = 1000

/** Lists runs that have ended; returns the exit code. */
export async function runs(asked: AskedFor<'runs'>, terminal: Terminal): Promise<number> {
  const { job, limit, options } = asked
  const reached = await reach(options, terminal)
  // A job that is no longer configured has its runs all the same.
  const list = await pastOf(reached).runs({ ...(job === undefined ? {} : { job }), limit })
  if (list.length === 0 && job !== undefined) jobNamed(reached.config, job)
  print(terminal, options.json, { version: 1, runs: list }, () => renderRuns(list, lookOf(terminal)))
  return 0
}

/** Prints the report of a run; returns the exit code. */
export async function report({ run, options }: AskedFor<'report'>, terminal: Terminal): Promise<number> {
  const past = pastOf(await reach(options, terminal))
  const found = await past.report(wholeId.test(run) ? run : await wholeName(past, run))
  if (found === undefined) throw unknownRun(run)
  print(terminal, options.json, found, () => renderReport(found, terminal.paintOut))
  return 0
}

/** Lists the recovery points that runs have told of; returns the exit code. */
export async function knownPoints(
  { options }: AskedFor<'known points'>,
  terminal: Terminal,
): Promise<number> {
  const { config, agent } = await reach(options, terminal)
  const list = agent === undefined ? historyIn(config.state.dir).points(mostRuns) : await agent.points()
  print(terminal, options.json, { version: 1, points: list }, () => renderKnownPoints(list, lookOf(terminal)))
  return 0
}

function pastOf({ config, agent }: Reached): Past {
  if (agent !== undefined) return agent
  const history = historyIn(config.state.dir)
  return { runs: async (query) => history.runs(query), report: async (run) => history.report(run) }
}

async function wholeName(past: Past, name: string): Promise<string> {
  const fitting = (await past.runs({ limit: mostRuns })).filter(({ run }) => run.startsWith(name))
  const [only, ...more] = fitting
  if (only === undefined) throw unknownRun(name)
  if (more.length === 0) return only.run
  const named = fitting.slice(0, 5).map(({ run }) => run)
  throw new Unknown(`${fitting.length} runs begin with ${shown(name)}`, {
    hint: `name one: ${named.join(', ')}${fitting.length > 5 ? ', ...' : ''}`,
  })
}

function unknownRun(name: string): Unknown {
  return new Unknown(`there is no run ${oneLine(shown(name), 80)}`, { hint: 'vmbackup runs lists them' })
}
