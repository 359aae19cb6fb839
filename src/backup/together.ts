import { Failure } from '../model/errors.ts'
import type { Site } from '../model/site.ts'
import { perform } from '../run/perform.ts'
import type { Report } from '../run/report.ts'
import { type RunRequest, runId } from '../run/run.ts'
import { Concert, type Part } from './concert.ts'
import type { BackupOptions } from './options.ts'
import { backupPlay } from './play.ts'

/** One of a job's pairs of volumes. */
export interface Asked {
  request: RunRequest
  site: Site
  options: BackupOptions
}

/**
 * Performs the runs of one job together, of pairs with different primaries: a VM with disks on several of the volumes is one instant on all
 * of them, and is protected by all runs or by none. Reports in the order asked for; never throws for what happened in a run.
 */
export function performTogether(asked: readonly Asked[]): Promise<Report[]> {
  const concert = new Concert()
  const joined = asked.map((one) => {
    const { id, clock, primary, secondary } = one.request
    return { ...one, part: concert.join({ run: id ?? runId(new Date(clock.now())), primary, secondary }) }
  })
  return Promise.all(joined.map(performPart))
}

async function performPart({ request, site, options, part }: Asked & { part: Part }): Promise<Report> {
  const others = part.others.map(({ run }) => run)
  const play = backupPlay(site, options, request.primary, part)
  let why = 'it broke down'
  try {
    const report = await perform({ ...request, id: part.run, with: others }, play)
    why = report.error?.message ?? report.outcome
    return report
  } finally {
    // One that never came to its story was waited for until now: its lock was held, say.
    part.leave(new Failure(why))
  }
}
