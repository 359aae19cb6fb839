import { asksForJson, parseArgs } from './cli/args.ts'
import { paintFor } from './cli/paint.ts'
import { carryOut } from './commands/carry-out.ts'
import type { Terminal } from './commands/terminal.ts'
import { Cancelled } from './model/errors.ts'
import { exitCodeOf, outcomeOf, type Report, reportedError } from './run/report.ts'

const { stdout, stderr } = process
// What is started from here (ssh, gluster, clients of mounts) need not know the password.
const env = { ...process.env }
delete process.env['VMBACKUP_PASSWORD']

let caught: AbortSignal | undefined
const paintErr = paintFor(stderr, env)

/** Does what the arguments ask for; the process ends when that is done, with the exit code for it. */
export async function main(argv: readonly string[], version: string): Promise<void> {
  process.exitCode = await exitCodeFor(argv, version)
  // A call into a file system that hangs for good would keep the process; all that there was to say is said.
  setTimeout(() => process.exit(), 10_000).unref()
}

async function exitCodeFor(argv: readonly string[], version: string): Promise<number> {
  const signal = (): AbortSignal => {
    caught ??= signalOfProcess()
    return caught
  }
  const terminal: Terminal = {
    stdout,
    stderr,
    paintOut: paintFor(stdout, env),
    paintErr,
    env,
    version,
    signal,
  }
  try {
    return await carryOut(parseArgs(argv, version), terminal)
  } catch (error) {
    return complain(error, asksForJson(argv))
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
