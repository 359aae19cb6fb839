import type { Runner } from '../agent/ports.ts'
import { backupPlay } from '../backup/play.ts'
import { performTogether } from '../backup/together.ts'
import type { Config, JobConfig } from '../config/keys.ts'
import { nameOfPair, type Pair } from '../model/pair.ts'
import type { RunEvent } from '../run/event.ts'
import { notTried, recover } from '../run/recover.ts'
import { optionsOf, replicationOf, withEngine } from '../site.ts'
import { type AnyRequest, logDirIn } from './prepare.ts'

/** Makes the runs of jobs in this process. */
export function createRunner(
  config: Config,
  base: AnyRequest,
  { env, version }: { env: NodeJS.ProcessEnv; version: string },
): Runner {
  const logDir = logDirIn(config.state.dir)

  // One sign-on for all pairs of a job.
  return {
    run: (job, signal, emit) =>
      withEngine(config, env, (hypervisor) =>
        performTogether(
          job.pairs.map((pair) => ({
            request: requestFor(base, job, pair, signal, (event) => emit(nameOfPair(pair), event)),
            site: { hypervisor, replication: replicationOf(config, pair, logDir) },
            options: optionsOf(config, version, job),
          })),
        ),
      ),

    recover: (job, signal, emit) =>
      withEngine(config, env, async (hypervisor) => {
        const recoveries = []
        for (const pair of job.pairs) {
          const site = { hypervisor, replication: replicationOf(config, pair, logDir) }
          const play = backupPlay(site, optionsOf(config, version, job), pair.primary)
          const request = requestFor(base, job, pair, signal, (event) => emit(nameOfPair(pair), event))
          recoveries.push(await recover(request, play).catch((error: unknown) => notTried(pair, error)))
        }
        return recoveries
      }),
  }
}

function requestFor(
  base: AnyRequest,
  job: JobConfig,
  pair: Pair,
  signal: AbortSignal,
  emit: (event: RunEvent) => void,
) {
  return { ...base, ...pair, job: job.name, signal, emit }
}
