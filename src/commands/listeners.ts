import type { CommonOptions } from '../cli/common-args.ts'
import { liveProgress } from '../cli/live-progress.ts'
import { noProgress, type Progress, plainProgress, warningsOnly } from '../cli/progress.ts'
import type { Config } from '../config/keys.ts'
import { logEvents, openLog } from '../log.ts'
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
export function listenersFor(
  config: Pick<Config, 'logging'>,
  verbosity: CommonOptions['verbosity'],
  terminal: Terminal,
): Listeners {
  const progress = progressFor(verbosity, terminal)
  const log = logFor(config, verbosity, terminal)
  return {
    emit(event) {
      log(event)
      progress.show(event)
    },
    end: () => progress.end(),
  }
}

type Verbosity = CommonOptions['verbosity']

function progressFor(verbosity: Verbosity, { stderr, paintErr }: Terminal): Progress {
  if (verbosity === 'verbose') return noProgress
  if (verbosity === 'quiet') return warningsOnly((text) => stderr.write(text))
  if (stderr.isTTY) return liveProgress(stderr, paintErr, () => Date.now())
  return plainProgress(
    (text) => stderr.write(text),
    () => Date.now(),
  )
}

function logFor(config: Pick<Config, 'logging'>, verbosity: Verbosity, { stderr }: Terminal): Emit {
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
