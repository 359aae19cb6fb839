import type { EmitOfPair, Runner } from '../agent/ports.ts'
import { backupPlay } from '../backup/play.ts'
import { type Asked, performTogether } from '../backup/together.ts'
import type { Config, JobConfig } from '../config/keys.ts'
import type { Hypervisor } from '../model/hypervisor.ts'
import { nameOfPair } from '../model/pair.ts'
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

  /** One for each of the job's pairs. */
  function askedOf(hypervisor: Hypervisor, job: JobConfig, signal: AbortSignal, emit: EmitOfPair): Asked[] {
    return job.pairs.map((pair) => {
      const emitOne = (event: RunEvent): void => emit(nameOfPair(pair), event)
      return {
        request: { ...base, ...pair, job: job.name, signal, emit: emitOne },
        site: { hypervisor, replication: replicationOf(config, pair, logDir) },
        options: optionsOf(config, version, job),
      }
    })
  }

  // One sign-on for all pairs of a job.
  return {
    run: (job, signal, emit) =>
      withEngine(config, env, (hypervisor) => performTogether(askedOf(hypervisor, job, signal, emit))),

    recover: (job, signal, emit) =>
      withEngine(config, env, async (hypervisor) => {
        const recoveries = []
        for (const { request, site, options } of askedOf(hypervisor, job, signal, emit)) {
          const play = backupPlay(site, options, request.primary)
          recoveries.push(await recover(request, play).catch((error: unknown) => notTried(request, error)))
        }
        return recoveries
      }),
  }
}
