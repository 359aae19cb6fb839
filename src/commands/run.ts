import { existsSync, mkdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { backupPlay } from '../backup/play.ts'
import { inspect } from '../backup/preflight.ts'
import type { Asked } from '../cli/args.ts'
import { liveProgress } from '../cli/live-progress.ts'
import { noProgress, type Progress, plainProgress, warningsOnly } from '../cli/progress.ts'
import { renderPlan } from '../cli/render-plan.ts'
import { renderReport } from '../cli/render-report.ts'
import { readConfig } from '../config/config.ts'
import type { Config } from '../config/keys.ts'
import { logEvents, openLog } from '../log.ts'
import { Failure } from '../model/errors.ts'
import { systemClock } from '../run/clock.ts'
import { exitCodeOf } from '../run/report.ts'
import { perform, type RunRequest, rehearse } from '../run/run.ts'
import { scratchDir } from '../run/scratch.ts'
import { createSite, optionsOf } from '../site.ts'
import type { Terminal } from './terminal.ts'

type Run = Asked & { kind: 'run' }

/** Makes one recovery point; returns the exit code. */
export async function run(asked: Run, terminal: Terminal): Promise<number> {
  const { config, request } = await prepare(asked, terminal)
  const { json, verbosity } = asked.options
  const { env, stdout, paintOut } = terminal
  const progress = progressFor(verbosity, terminal)
  const log = logFor(config, verbosity, terminal)
  const site = createSite(config, asked.target, env, logDirIn(config.state.dir))
  const play = backupPlay(site, optionsOf(config, terminal.version), asked.target.primaryVolume)
  const emit: RunRequest['emit'] = (event) => {
    log(event)
    progress.show(event)
  }
  const report = await perform({ ...request, emit }, play)
  progress.end()
  await site.hypervisor.close()
  stdout.write(json ? `${JSON.stringify(report, null, 2)}\n` : `${renderReport(report, paintOut)}\n`)
  return exitCodeOf(report.outcome)
}

/** Says what a run would do, and touches nothing; returns the exit code. */
export async function plan(asked: Run, terminal: Terminal): Promise<number> {
  const { config, request } = await prepare(asked, terminal)
  const { env, stdout, stderr, paintOut, paintErr } = terminal
  // Nothing is left of a dry run, not even a state directory.
  using scratch = scratchDir()
  const options = optionsOf(config, terminal.version)
  const site = createSite(config, asked.target, env, scratch.logDir)
  const play = backupPlay(site, options, asked.target.primaryVolume)
  const found = await rehearse({ ...request, stateDir: scratch.dir }, play, (rehearsal) =>
    inspect(rehearsal, site, options),
  )
  await site.hypervisor.close()
  request.signal.throwIfAborted()
  for (const warning of config.warnings) stderr.write(`${paintErr.doubtful(`warning: ${warning}`)}\n`)
  stdout.write(
    asked.options.json
      ? `${JSON.stringify({ version: 1, ...found }, null, 2)}\n`
      : `${renderPlan(found, options, paintOut)}\n`,
  )
  return found.findings.some((finding) => finding.severity === 'error') ? exitCodeOf('refused') : 0
}

async function prepare(
  { target, options }: Run,
  terminal: Terminal,
): Promise<{ config: Config; request: RunRequest }> {
  const stateDir = options.stateDir && resolve(options.stateDir)
  const overrides = [
    { section: 'replication', key: 'timeout', value: options.timeoutMinutes, from: '--timeout' },
    { section: 'verify', key: 'mode', value: options.verify, from: '--verify' },
    // Who names a mode means it, also when a full comparison would be due.
    { section: 'verify', key: 'full_every', value: options.verify && '', from: '--verify' },
    { section: 'replication', key: 'interval', value: options.intervalSeconds, from: '--interval' },
    { section: 'state', key: 'dir', value: stateDir, from: '--state-dir' },
  ].flatMap(({ value, ...rest }) => (value === undefined ? [] : [{ ...rest, value: String(value) }]))
  const config = await readConfig(options.config ?? defaultConfig(), { overrides, env: terminal.env })
  return {
    config,
    request: {
      primary: target.primaryVolume,
      secondary: { host: target.secondaryHost, volume: target.secondaryVolume },
      stateDir: config.state.dir,
      signal: terminal.signal(),
      clock: systemClock,
      emit: () => undefined,
      warnings: config.warnings,
      settleMs: config.snapshot.mergeTimeoutMs,
    },
  }
}

function defaultConfig(): string {
  return existsSync('backup.cfg') ? 'backup.cfg' : '/etc/vmbackup/backup.cfg'
}

function logDirIn(stateDir: string): string {
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

type Verbosity = Run['options']['verbosity']

function progressFor(verbosity: Verbosity, { stderr, paintErr }: Terminal): Progress {
  if (verbosity === 'verbose') return noProgress
  if (verbosity === 'quiet') return warningsOnly((text) => stderr.write(text))
  if (stderr.isTTY) return liveProgress(stderr, paintErr, () => Date.now())
  return plainProgress(
    (text) => stderr.write(text),
    () => Date.now(),
  )
}

function logFor(config: Config, verbosity: Verbosity, { stderr }: Terminal): RunRequest['emit'] {
  const { file, level } = config.logging
  const logs = [
    ...(file === undefined ? [] : [logEvents(openLogFile(file, level))]),
    ...(verbosity === 'verbose' ? [logEvents(openLog({ terminal: stderr }, 'debug'))] : []),
  ]
  return (event) => {
    for (const log of logs) log(event)
  }
}

function openLogFile(file: string, level: string): ReturnType<typeof openLog> {
  try {
    return openLog({ file }, level)
  } catch (cause) {
    throw new Failure(`cannot open the log ${file}`, {
      cause,
      hint: 'check that the place of [logging] file is writable and not full',
    })
  }
}
