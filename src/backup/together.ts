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
 * Performs the runs of one job together: a VM with disks on several of the volumes is one instant on all of them, and is protected by all
 * runs or by none. One report for each; never throws for what happened in a run. Pairs with the same primary take turns, since there is one lock for a
 * primary.
 */
export async function performTogether(asked: readonly Asked[]): Promise<Report[]> {
  const round = asked.filter((one, at) => asked.findIndex((other) => samePrimary(one, other)) === at)
  const later = asked.filter((one) => !round.includes(one))
  const reports = await performRound(round)
  return later.length === 0 ? reports : [...reports, ...(await performTogether(later))]
}

function samePrimary(one: Asked, other: Asked): boolean {
  return one.request.primary === other.request.primary
}

function performRound(round: readonly Asked[]): Promise<Report[]> {
  const concert = new Concert()
  const joined = round.map((one) => {
    const { id, clock, primary, secondary } = one.request
    return { ...one, part: concert.join({ run: id ?? runId(new Date(clock.now())), primary, secondary }) }
  })
  return Promise.all(joined.map(performPart))
}

async function performPart({ request, site, options, part }: Asked & { part: Part }): Promise<Report> {
  const others = part.others.map(({ run }) => run)
  const play = backupPlay(site, options, request.primary, part)
  const report = await perform({ ...request, id: part.run, with: others }, play)
  // One that never came to its story was waited for until now: its lock was held, say.
  part.leave(new Failure(report.error?.message ?? report.outcome))
  return report
}
