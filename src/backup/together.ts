import type { Site } from '../model/site.ts'
import { perform } from '../run/perform.ts'
import type { Report } from '../run/report.ts'
import type { RunRequest } from '../run/run.ts'
import type { BackupOptions } from './options.ts'
import { backupPlay } from './play.ts'

/** One of a job's pairs of volumes. */
interface Asked {
  request: RunRequest
  site: Site
  options: BackupOptions
}

/** Performs the runs of one job, for now one after the other. One report for each; never throws for what happened in a run. */
export async function performTogether(asked: readonly Asked[]): Promise<Report[]> {
  const reports: Report[] = []
  for (const { request, site, options } of asked)
    reports.push(await perform(request, backupPlay(site, options, request.primary)))
  return reports
}
