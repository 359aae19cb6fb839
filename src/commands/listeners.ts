import type { CommonOptions } from '../cli/common-args.ts'
import { noProgress, type Progress, plainProgress, warningsOnly } from '../cli/progress.ts'
import type { Config } from '../config/keys.ts'
import { Failure } from '../model/errors.ts'
import type { Emit } from '../run/event.ts'
import type { Terminal } from './terminal.ts'

/** Who is told of every event: the terminal and the logs. */
export interface Listeners {
  emit: Emit
  /** To be called before the result is printed. */
  end(): void
}

/** Throws Failure when a log cannot be opened. */
export async function listenersFor(
  config: Pick<Config, 'logging'>,
  verbosity: CommonOptions['verbosity'],
  terminal: Terminal,
): Promise<Listeners> {
  const progress = await progressFor(verbosity, terminal)
  const log = await logFor(config, verbosity, terminal)
  return {
    emit(event) {
      log(event)
      progress.show(event)
    },
    end: () => progress.end(),
  }
}

type Verbosity = CommonOptions['verbosity']

// What draws on a terminal and what writes logs is loaded where there is one: a run from cron mostly has neither.
async function progressFor(verbosity: Verbosity, { stderr, paintErr }: Terminal): Promise<Progress> {
  if (verbosity === 'verbose') return noProgress
  if (verbosity === 'quiet') return warningsOnly((text) => stderr.write(text))
  const now = () => Date.now()
  if (!stderr.isTTY) return plainProgress((text) => stderr.write(text), now)
  const { liveProgress } = await import('../cli/live-progress.ts')
  return liveProgress(stderr, paintErr, now)
}

async function logFor(
  config: Pick<Config, 'logging'>,
  verbosity: Verbosity,
  { stderr }: Terminal,
): Promise<Emit> {
  const { file, level } = config.logging
  if (file === undefined && verbosity !== 'verbose') return () => undefined
  const { logEvents, openLog } = await import('../log.ts')
  const logs = [
    ...(file === undefined ? [] : [logEvents(openedAt(file, () => openLog({ file }, level)))]),
    ...(verbosity === 'verbose' ? [logEvents(openLog({ terminal: stderr }, 'debug'))] : []),
  ]
  return (event) => {
    for (const log of logs) log(event)
  }
}

function openedAt<T>(file: string, open: () => T): T {
  try {
    return open()
  } catch (cause) {
    throw new Failure(`cannot open the log ${file}`, {
      cause,
      hint: 'check that the place of [logging] file is writable and not full',
    })
  }
}
