import type { Site } from '../model/site.ts'
import type { Owed } from '../run/obligation.ts'
import type { Report } from '../run/report.ts'
import type { Play, Run } from '../run/run.ts'
import { announceReport } from './announce.ts'
import { backup } from './backup.ts'
import { Concert } from './concert.ts'
import type { BackupOptions } from './options.ts'
import type { BackupPlan } from './plan.ts'
import { closeJobs, settle } from './settle.ts'
import { openTasksPane, type TasksPane } from './tasks-pane.ts'
import { Verdicts } from './verdicts.ts'

/** A run without others: nobody asks who it is. */
const nobody = { run: '', primary: '', secondary: { host: '', volume: '' } }

/** A backup as `perform` plays it: the story, its verdicts, its undo and its closing words. `part`: where others of its job go on beside it. */
export function backupPlay(
  site: Site,
  options: BackupOptions,
  primary: string,
  part = new Concert().join(nobody),
): Play {
  const verdicts = new Verdicts(primary)
  let plan: BackupPlan | undefined
  let pane: TasksPane | undefined

  const begins = async (run: Run, planned: BackupPlan): Promise<void> => {
    plan = planned
    pane = await openTasksPane(run, site, primary)
  }
  return {
    async story(run) {
      // A story that hangs is not waited for, neither here nor there.
      const end = (): void => part.leave(run.signal.reason)
      run.signal.addEventListener('abort', end, { once: true })
      try {
        await backup(run, site, options, { verdicts, begins, part })
        part.leave()
      } catch (error) {
        part.leave(error)
        throw error
      } finally {
        run.signal.removeEventListener('abort', end)
      }
    },
    results: (error) => verdicts.results(error),
    settle: (run, owed, leave) => settle(run, site, options, owed, leave),
    show: (event) => pane?.show(event),
    closes: ({ what }) => what.kind === 'event' || what.kind === 'job',
    async close(run, report, owed, leave) {
      const ending = pane
      pane = undefined
      await ending?.drain()
      for (const one of owed) await tell(run, site, report, plan, one).catch((error) => leave(one, error))
    },
  }
}

async function tell(
  run: Run,
  site: Site,
  report: Report,
  plan: BackupPlan | undefined,
  { what, ...owed }: Owed,
): Promise<void> {
  if (what.kind === 'job') await closeJobs(run, site, what.text, report.outcome === 'protected')
  if (what.kind === 'event') await announceReport(run, site, report, what.number, plan)
  run.strike({ what, ...owed })
}
