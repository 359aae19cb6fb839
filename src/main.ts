#!/usr/bin/env node
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { backupPlay } from './backup/play.ts'
import { inspect } from './backup/preflight.ts'
import { type Asked, asksForJson, parseArgs } from './cli/args.ts'
import { liveProgress } from './cli/live-progress.ts'
import { paintFor } from './cli/paint.ts'
import { noProgress, type Progress, plainProgress, warningsOnly } from './cli/progress.ts'
import { renderPlan } from './cli/render-plan.ts'
import { renderReport } from './cli/render-report.ts'
import { readConfig } from './config/config.ts'
import type { Config } from './config/keys.ts'
import { logEvents, openLog } from './log.ts'
import { Cancelled, Failure } from './model/errors.ts'
import { systemClock } from './run/clock.ts'
import { exitCodeOf, outcomeOf, type Report, reportedError } from './run/report.ts'
import { perform, type RunRequest, rehearse } from './run/run.ts'
import { scratchDir } from './run/scratch.ts'
import { createSite, optionsOf } from './site.ts'

type Run = Asked & { kind: 'run' }

const { stdout, stderr } = process
// What is started from here (ssh, gluster, clients of mounts) need not know the password.
const env = { ...process.env }
delete process.env['VMBACKUP_PASSWORD']
const paintOut = paintFor(stdout, env)
const paintErr = paintFor(stderr, env)

// Who looked on may be gone (a closed terminal, a pipe to head); the run has snapshots to merge all the same.
for (const stream of [stdout, stderr]) stream.on('error', () => undefined)

process.exitCode = await main(process.argv.slice(2))

async function main(argv: readonly string[]): Promise<number> {
  try {
    const asked = parseArgs(argv, version())
    if (asked.kind === 'run') return await (asked.dryRun ? plan(asked) : run(asked))
    stdout.write(asked.text)
    return 0
  } catch (error) {
    return complain(error, asksForJson(argv))
  }
}

async function run(asked: Run): Promise<number> {
  const { config, request } = await prepare(asked)
  const { json, verbosity } = asked.options
  const progress = progressFor(verbosity)
  const log = logFor(config, verbosity)
  const site = createSite(config, asked.target, env, logDirIn(config.state.dir))
  const play = backupPlay(site, optionsOf(config), asked.target.primaryVolume)
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

async function plan(asked: Run): Promise<number> {
  const { config, request } = await prepare(asked)
  // Nothing is left of a dry run, not even a state directory.
  using scratch = scratchDir()
  const options = optionsOf(config)
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

async function prepare({ target, options }: Run): Promise<{ config: Config; request: RunRequest }> {
  const overrides = [
    { section: 'replication', key: 'timeout', value: options.timeoutMinutes, from: '--timeout' },
    { section: 'replication', key: 'interval', value: options.intervalSeconds, from: '--interval' },
    {
      section: 'state',
      key: 'dir',
      value: options.stateDir && resolve(options.stateDir),
      from: '--state-dir',
    },
  ].flatMap(({ value, ...rest }) => (value === undefined ? [] : [{ ...rest, value: String(value) }]))
  const config = await readConfig(options.config ?? defaultConfig(), { overrides, env })
  return {
    config,
    request: {
      primary: target.primaryVolume,
      secondary: { host: target.secondaryHost, volume: target.secondaryVolume },
      stateDir: config.state.dir,
      signal: signalOfProcess(),
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

function progressFor(verbosity: 'quiet' | 'normal' | 'verbose'): Progress {
  if (verbosity === 'verbose') return noProgress
  if (verbosity === 'quiet') return warningsOnly((text) => stderr.write(text))
  if (stderr.isTTY) return liveProgress(stderr, paintErr, () => Date.now())
  return plainProgress(
    (text) => stderr.write(text),
    () => Date.now(),
  )
}

function logFor(config: Config, verbosity: 'quiet' | 'normal' | 'verbose'): RunRequest['emit'] {
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

/** The first signal ends the run in good order; a second one ends the process: the ledger knows what is owed. */
function signalOfProcess(): AbortSignal {
  const controller = new AbortController()
  for (const name of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    process.on(name, () => {
      if (controller.signal.aborted) process.exit(exitCodeOf('cancelled'))
      const hint = 'the next run settles what this one could not'
      controller.abort(new Cancelled(`cancelled by ${name}`, { hint }))
    })
  }
  return controller.signal
}

function complain(error: unknown, json: boolean): number {
  const outcome = outcomeOf([], error)
  const { message, causes, hint } = reportedError(error)
  if (json) {
    const failure: Pick<Report, 'version' | 'outcome' | 'error'> = {
      version: 1,
      outcome,
      error: { message, causes, ...(hint === undefined ? {} : { hint }) },
    }
    stdout.write(`${JSON.stringify(failure, null, 2)}\n`)
  } else {
    stderr.write(`${paintErr.bad(`vmbackup: ${message}`)}\n`)
    for (const cause of causes) stderr.write(`  because: ${cause}\n`)
    if (hint !== undefined) stderr.write(`  what to do: ${hint}\n`)
  }
  return exitCodeOf(outcome)
}

function version(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}
