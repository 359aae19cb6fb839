import type { Ini } from './ini.ts'
import { checkJob, checkPolicies, checkSharedVolumes } from './job-checks.ts'
import type { Config } from './keys.ts'
import { checkApi, checkMail, checkRoute } from './route-checks.ts'
import { type Findings, sectionOf } from './section.ts'

/** What no single key of the agent's sections shows: what does not fit together, and the files that are named. */
export async function lookAtAgent(config: Config, ini: Ini): Promise<Findings> {
  const findings: Findings = { problems: [], warnings: [] }
  const at = (section: string, name?: string) => sectionOf(ini, findings, section, name)
  const jobs = config.jobs.map((job) => ({ job, section: at('job', job.name) }))
  for (const { job, section } of jobs) checkJob(job, config, section)
  checkSharedVolumes(jobs)
  checkPolicies(config.policies.map((policy) => ({ policy, section: at('policy', policy.name) })))
  for (const route of config.routes) await checkRoute(route, config, at('route', route.name))
  await checkMail(config.mail, at('mail'))
  await checkApi(config.api, at('api'))
  return findings
}
