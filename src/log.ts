import pino, { type Logger } from 'pino'
import pretty from 'pino-pretty'
import { lineFor } from './cli/progress.ts'
import type { Emit, RunEvent } from './run/event.ts'

/** JSON lines to a file, or for people to a terminal. Throws what opening the file throws. */
export function openLog(to: { file: string } | { terminal: NodeJS.WritableStream }, level: string): Logger {
  const destination =
    'file' in to
      ? pino.destination({ dest: to.file, sync: true, append: true, mkdir: true })
      : pretty({
          destination: to.terminal,
          sync: true,
          ignore: 'pid,hostname',
          translateTime: 'SYS:HH:MM:ss.l',
        })
  return pino({ level, base: { name: 'vmbackup' } }, destination)
}

/** Writes each event of a run as one log line. */
export function logEvents(log: Logger): Emit {
  return (event) => {
    const { kind, ...fields } = event
    log[levelOf(event)](fields, lineFor(event) ?? kind)
  }
}

function levelOf(event: RunEvent): 'debug' | 'info' | 'warn' | 'error' {
  if (event.kind === 'waiting') return 'debug'
  if (event.kind === 'left open') return 'error'
  if (event.kind === 'step ended' && event.error !== undefined) return 'error'
  return event.kind === 'note' && event.severity === 'warning' ? 'warn' : 'info'
}
