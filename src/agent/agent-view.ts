import type { AgentView } from './agent.ts'
import type { JobRecord } from './job-record.ts'
import { jobView } from './job-view.ts'
import { owedBeside } from './owed.ts'
import type { AgentPorts } from './ports.ts'
import { statusView } from './status-view.ts'
import type { Troubles } from './troubles.ts'
import type { JobView, VmView } from './view.ts'
import type { Watch } from './watch.ts'

const shownPoints = 100

/** What of the agent can be seen; what of the history cannot be read is a trouble, and left out of the status. */
export function agentView(
  records: readonly JobRecord[],
  { ports, troubles, watch }: { ports: AgentPorts; troubles: Troubles; watch: Watch },
  { version, startedAt }: { version: string; startedAt: number },
): Omit<AgentView, 'watch'> {
  const { clock, history } = ports
  const views = (): { jobs: JobView[]; vms: VmView[] } => {
    const now = clock.now()
    const views = watch.views(now)
    const vms = views.map(({ vm }) => vm)
    const jobs = records.map((record) =>
      jobView(
        record,
        views.flatMap((one) => (one.jobs.includes(record.job.name) ? [one.vm] : [])),
        record.state === 'running' ? undefined : record.next(now, watch.tightest(record.job.name)),
      ),
    )
    return { jobs, vms }
  }
  return {
    status: () =>
      statusView({
        ...views(),
        version,
        startedAt,
        now: clock.now(),
        troubles: [...troubles.list(), ...ports.otherTroubles()],
        running: records.flatMap(({ state, progress }) =>
          state === 'running' ? [...progress.values()] : [],
        ),
        lastRuns: troubles.readOr('history', [], () => history.runs({ limit: 10 })),
        outbox: ports.outbox(),
        // What runs that are going on owe is their own affair.
        owed: troubles.readOr('history', 0, () =>
          owedBeside(
            history,
            records.flatMap(({ isBusy, job }) => (isBusy ? job.pairs : [])),
          ),
        ),
      }),
    jobs: () => views().jobs,
    vms: () => views().vms,
    runs: (query) => history.runs(query),
    report: (run) => history.report(run),
    points: () => history.points(shownPoints),
  }
}
