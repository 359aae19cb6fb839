import { readFile } from 'node:fs/promises'
import { until } from './until.ts'

/** A process that cannot be confused with a later one of the same number. */
export interface ProcessIdentity {
  pid: number
  /** Clock ticks between boot and its start. */
  started: string
}

/** The identity of a running process; undefined if there is none. */
export async function identify(pid: number): Promise<ProcessIdentity | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined)
  if (stat === undefined) return undefined
  // The command's name is in parentheses and may hold blanks; the start time is field 22 of proc(5).
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const started = fields[19]
  return started === undefined || fields[0] === 'Z' ? undefined : { pid, started }
}

export async function isRunning(process: ProcessIdentity): Promise<boolean> {
  return (await identify(process.pid))?.started === process.started
}

/** Reads "PID STARTED" as node-init.sh and the lab write it; undefined if there is no such file. */
export async function readIdentity(file: string): Promise<ProcessIdentity | undefined> {
  const text = await readFile(file, 'utf8').catch(() => '')
  const [pid, started] = text.trim().split(' ')
  return pid && started ? { pid: Number(pid), started } : undefined
}

/** Kills a process, if it still is the same one, and returns when it is gone. */
export async function end(target: ProcessIdentity): Promise<void> {
  if (!(await isRunning(target))) return
  process.kill(target.pid, 'SIGKILL')
  await until(`process ${target.pid} to end`, 60_000, async () => !(await isRunning(target)), 20)
}
