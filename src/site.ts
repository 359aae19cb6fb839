import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { BackupOptions } from './backup/options.ts'
import type { Place } from './cli/asked.ts'
import type { Config, JobConfig } from './config/keys.ts'
import { passwordSource } from './config/password.ts'
import { policiesOf } from './config/policies.ts'
import { createGeoReplication } from './gluster/geo-replication.ts'
import { plainFile } from './gluster/plain-file.ts'
import { spaceAt } from './gluster/space.ts'
import { openVolumeAt } from './gluster/volumes.ts'
import type { DomainFormat } from './model/domain.ts'
import type { Hypervisor } from './model/hypervisor.ts'
import type { Pair } from './model/pair.ts'
import type { OpenVolume, Replication } from './model/replication.ts'
import type { Site } from './model/site.ts'
import { createEngine } from './ovirt/engine.ts'
import { vdsmFormat } from './ovirt/vdsm-domain.ts'
import { scratchDir } from './run/scratch.ts'

/** Joins the two ends as the configuration says; connects to neither. `logDir` must exist. */
export function createSite(config: Config, pair: Pair, env: NodeJS.ProcessEnv, logDir: string): Site {
  return { hypervisor: engineOf(config, env), replication: replicationOf(config, pair, logDir) }
}

/** The engine of the configuration; connects at the first question. */
export function engineOf(config: Config, env: NodeJS.ProcessEnv): Hypervisor {
  const { connection, event } = config
  return createEngine({
    server: connection.server,
    user: connection.userName,
    password: passwordSource(config, env),
    verifyTls: connection.verifyTls,
    timeoutMs: connection.requestTimeoutMs,
    restartMs: connection.restartMs,
    busyMs: connection.busyMs,
    origin: event.origin,
    ...(connection.caFile === undefined ? {} : { ca: readFileSync(connection.caFile, 'utf8') }),
  })
}

/** Lets the engine of the configuration be used, with one sign-on that ends with it. */
export async function withEngine<T>(
  config: Config,
  env: NodeJS.ProcessEnv,
  use: (hypervisor: Hypervisor) => Promise<T>,
): Promise<T> {
  const hypervisor = engineOf(config, env)
  try {
    return await use(hypervisor)
  } finally {
    await hypervisor.close()
  }
}

/** The replication of a pair of volumes. `logDir`, in which Gluster's clients write, must exist. */
export function replicationOf({ gluster }: Config, pair: Pair, logDir: string): Replication {
  return createGeoReplication({
    ...pair,
    logDir,
    ...(gluster.command === undefined ? {} : { command: gluster.command }),
    ...(gluster.secondaryCommand === undefined ? {} : { secondaryCommand: gluster.secondaryCommand }),
  })
}

/** The knobs of a backup, as the configuration sets them; what a job says itself goes before that. Throws UsageError. */
export function optionsOf(config: Config, version: string, job?: JobConfig): BackupOptions {
  const { snapshot, replication, verify } = config
  const fullEveryMs = job?.fullEveryMs ?? verify.fullEveryMs
  const isOfMany = job !== undefined && job.pairs.length > 1
  return {
    ...(job === undefined ? {} : { selection: selectionOf(config, job) }),
    ...(job?.bandwidth === undefined ? {} : { bandwidth: job.bandwidth }),
    ...(job?.timeZone === undefined ? {} : { timeZone: job.timeZone }),
    // One name cannot be that of several domains: those of a job's pairs are found by their volumes.
    ...(snapshot.storageDomain === undefined || isOfMany ? {} : { storageDomain: snapshot.storageDomain }),
    freeze: snapshot.freeze,
    freezeMs: snapshot.freezeTimeoutMs,
    snapshotMs: snapshot.waitTimeoutMs,
    snapshotsAtOnce: snapshot.parallel,
    mergeMs: snapshot.mergeTimeoutMs,
    mergesAtOnce: snapshot.mergeParallel,
    mergesPerHost: snapshot.mergePerHost,
    mergeStallMs: snapshot.mergeStallMs,
    minFree: snapshot.minFree,
    replicationMs: job?.timeoutMs ?? replication.timeoutMs,
    stallMs: replication.stallMs,
    intervalMs: replication.intervalMs,
    compare: job?.verify ?? verify.mode,
    ...(fullEveryMs === undefined ? {} : { fullEveryMs }),
    sampleBytes: verify.sampleBytes,
    imagesAtOnce: verify.parallel,
    ...(verify.rateBytes === undefined ? {} : { readBytesPerSecond: verify.rateBytes }),
    healTurns: verify.healTurns,
    tool: `vmbackup ${version}`,
  }
}

/** What a job protects. Throws UsageError. */
export function selectionOf(config: Config, job: JobConfig): NonNullable<BackupOptions['selection']> {
  return {
    job: job.name,
    include: job.select,
    exclude: job.exclude ?? [],
    excludeDisks: job.excludeDisks ?? [],
    policies: policiesOf(config),
  }
}

/** A secondary volume as a recovery site has it: readable, and nothing else. Disposing unmounts it. */
export interface RecoverySite extends OpenVolume {
  readonly format: DomainFormat
}

/** Mounts the volume for reading, or takes the directory where somebody has mounted it. Throws Failure. */
export async function openRecoverySite(at: Place, signal: AbortSignal): Promise<RecoverySite> {
  if ('dir' in at) {
    const { dir } = at
    const open: OpenVolume['open'] = (path) => plainFile(join(dir, path))
    return { dir, open, space: () => spaceAt(dir), format: vdsmFormat, async [Symbol.asyncDispose]() {} }
  }
  const scratch = scratchDir()
  try {
    const dir = join(scratch.dir, 'mnt')
    mkdirSync(dir)
    const volume = await openVolumeAt({ ...at, logDir: scratch.logDir }, dir, signal)
    return {
      dir,
      open: volume.open,
      space: volume.space,
      format: vdsmFormat,
      async [Symbol.asyncDispose]() {
        await volume[Symbol.asyncDispose]()
        scratch[Symbol.dispose]()
      },
    }
  } catch (error) {
    scratch[Symbol.dispose]()
    throw error
  }
}
