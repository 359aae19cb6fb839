import { existsSync, mkdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { CommonOptions } from '../cli/common-args.ts'
import { readConfig } from '../config/config.ts'
import type { Config } from '../config/keys.ts'
import { Failure } from '../model/errors.ts'
import type { Pair } from '../model/pair.ts'
import { systemClock } from '../run/clock.ts'
import type { RunRequest } from '../run/run.ts'
import type { Terminal } from './terminal.ts'

/** All that a run is asked with, but for its volumes. */
export type AnyRequest = Omit<RunRequest, keyof Pair>

/** Reads the configuration, with what the command line says in its place. Throws UsageError. */
export function settingsFor(options: CommonOptions, terminal: Pick<Terminal, 'env'>): Promise<Config> {
  const stateDir = options.stateDir && resolve(options.stateDir)
  const overrides = [
    { section: 'replication', key: 'timeout', value: options.timeoutMinutes, from: '--timeout' },
    { section: 'verify', key: 'mode', value: options.verify, from: '--verify' },
    // Who names a mode means it, also when a full comparison would be due.
    { section: 'verify', key: 'full_every', value: options.verify && '', from: '--verify' },
    { section: 'replication', key: 'interval', value: options.intervalSeconds, from: '--interval' },
    { section: 'state', key: 'dir', value: stateDir, from: '--state-dir' },
  ].flatMap(({ value, ...rest }) => (value === undefined ? [] : [{ ...rest, value: String(value) }]))
  return readConfig(options.config ?? defaultConfig(), { overrides, env: terminal.env })
}

/** The configuration, and what a run takes from it. From here on signals end runs, not the process. Throws UsageError. */
export async function prepare(
  options: CommonOptions,
  terminal: Terminal,
): Promise<{ config: Config; request: AnyRequest }> {
  const config = await settingsFor(options, terminal)
  return {
    config,
    request: {
      stateDir: config.state.dir,
      signal: terminal.signal(),
      clock: systemClock,
      emit: () => undefined,
      warnings: config.warnings,
      settleMs: config.state.settleMs,
      leaseMs: config.state.leaseMs,
      historyMs: config.daemon.historyMs,
    },
  }
}

function defaultConfig(): string {
  return existsSync('backup.cfg') ? 'backup.cfg' : '/etc/vmbackup/backup.cfg'
}

/** Makes the directory in which Gluster's clients write their logs. Throws Failure. */
export function logDirIn(stateDir: string): string {
  const dir = join(stateDir, 'log')
  try {
    mkdirSync(dir, { recursive: true, mode: 0o700 })
  } catch (cause) {
    throw new Failure(`cannot make the directory ${dir}`, {
      cause,
      hint: 'check that [state] dir is writable and not full, or give another with --state-dir',
    })
  }
  return dir
}
