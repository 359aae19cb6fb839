import { readFileSync } from 'node:fs'
import type { BackupOptions } from './backup/options.ts'
import type { Target } from './cli/args.ts'
import type { Config } from './config/keys.ts'
import { passwordSource } from './config/password.ts'
import { createGeoReplication } from './gluster/geo-replication.ts'
import type { Site } from './model/site.ts'
import { createEngine } from './ovirt/engine.ts'

/** Joins the two ends as the configuration says; connects to neither. `logDir` must exist. */
export function createSite(config: Config, target: Target, env: NodeJS.ProcessEnv, logDir: string): Site {
  const { connection, gluster, event } = config
  return {
    hypervisor: createEngine({
      server: connection.server,
      user: connection.userName,
      password: passwordSource(config, env),
      verifyTls: connection.verifyTls,
      timeoutMs: connection.requestTimeoutMs,
      origin: event.origin,
      ...(connection.caFile === undefined ? {} : { ca: readFileSync(connection.caFile, 'utf8') }),
    }),
    replication: createGeoReplication({
      ...target,
      logDir,
      ...(gluster.command === undefined ? {} : { command: gluster.command }),
      ...(gluster.secondaryCommand === undefined ? {} : { secondaryCommand: gluster.secondaryCommand }),
    }),
  }
}

/** The knobs of a backup, as the configuration sets them. */
export function optionsOf({ snapshot, replication, verify }: Config): BackupOptions {
  return {
    ...(snapshot.storageDomain === undefined ? {} : { storageDomain: snapshot.storageDomain }),
    snapshotMs: snapshot.waitTimeoutMs,
    snapshotsAtOnce: snapshot.parallel,
    mergeMs: snapshot.mergeTimeoutMs,
    mergesAtOnce: snapshot.mergeParallel,
    replicationMs: replication.timeoutMs,
    stallMs: replication.stallMs,
    intervalMs: replication.intervalMs,
    compare: verify.mode,
    sampleBytes: verify.sampleBytes,
  }
}
