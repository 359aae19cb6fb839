import { setTimeout as pause } from 'node:timers/promises'
import { CommandFailed } from '../model/errors.ts'
import { oneLine } from '../model/shown.ts'
import { commandLine, type Ended, hintFor, runAt } from './run.ts'
import { parseAnswer, type XmlNode } from './xml.ts'

/** The volume or session that was asked about does not exist. */
export class NotThere extends CommandFailed {}

/** What passes: another command holds Gluster's lock, or glusterd or the line to it is away for a moment. */
class Busy extends CommandFailed {}

export interface GlusterOptions {
  /** What stands before every command, e.g. `['ssh', 'root@node']`; empty runs it here. */
  prefix: readonly string[]
  /** For one command. */
  timeoutMs: number
  /** How long a command is repeated while Gluster is busy with another one. */
  busyMs: number
}

export interface Gluster {
  /** The answer of a command with `--xml`. Throws CommandFailed unless it says success, NotThere among them. */
  xml(args: readonly string[], signal: AbortSignal): Promise<XmlNode>
  /** What a command printed, trimmed. Throws the same. */
  text(args: readonly string[], signal: AbortSignal): Promise<string>
}

/** The gluster command line at one place. */
export function glusterAt({ prefix, timeoutMs, busyMs }: GlusterOptions): Gluster {
  // What never answered is more likely misnamed or down than starting anew, so that is told at once.
  let reached = false

  async function run(args: readonly string[], signal: AbortSignal): Promise<Ended> {
    const ended = await runAt(prefix, ['gluster', '--mode=script', ...args], { timeoutMs, signal })
    if (!awayWords.test(said(ended))) reached = true
    else if (reached) throw new Busy(...words(ended, said(ended)))
    return ended
  }

  async function text(args: readonly string[], signal: AbortSignal): Promise<string> {
    const ended = await run(args, signal)
    if (ended.exitCode === 0) return ended.stdout
    throw failureIn(ended)
  }

  async function xml(args: readonly string[], signal: AbortSignal): Promise<XmlNode> {
    const ended = await run([...args, '--xml'], signal)
    if (!ended.stdout.startsWith('<')) throw await plainFailure(ended, args, signal)
    return answerIn(ended)
  }

  /** `status --xml` fails in plain text and without a reason (10.3); the plain command knows it. */
  async function plainFailure(ended: Ended, args: readonly string[], signal: AbortSignal): Promise<Error> {
    if (!args.includes('status') || !/command failed/i.test(said(ended))) return failureIn(ended)
    const plain = await run(args, signal)
    if (plain.exitCode === 0) return new Busy(...words(ended, said(ended)))
    return failureIn(plain)
  }

  return {
    xml: (args, signal) => untilFree(() => xml(args, signal), busyMs, signal),
    text: (args, signal) => untilFree(() => text(args, signal), busyMs, signal),
  }
}

async function untilFree<T>(ask: () => Promise<T>, busyMs: number, signal: AbortSignal): Promise<T> {
  const end = Date.now() + busyMs
  for (let waitMs = 200; ; waitMs = Math.min(waitMs * 2, 5000)) {
    try {
      return await ask()
    } catch (error) {
      const leftMs = end - Date.now()
      if (!(error instanceof Busy) || leftMs <= 0) throw error
      // Two agents that collided must not collide again.
      const spreadMs = waitMs * (0.5 + Math.random() / 2)
      await pause(Math.min(spreadMs, leftMs), undefined, { signal }).catch(() => signal.throwIfAborted())
    }
  }
}

/** What a command with `--xml` answered. Throws CommandFailed unless that says success, NotThere among them. */
export function answerIn(ended: Ended): XmlNode {
  const answer = readAnswer(ended)
  // With --xml the exit code says nothing: a refused start ends with 0 (10.3).
  if (answer.opRet === 0) return answer.root
  throw failureOf(ended, answer.opErrstr || `error ${answer.opErrno}`, answer.opErrno)
}

function readAnswer(ended: Ended) {
  try {
    return parseAnswer(ended.stdout)
  } catch (cause) {
    const [message, options] = words(ended, 'its answer cannot be read')
    throw new CommandFailed(message, { ...options, cause })
  }
}

/** All that a failed command said, on one line. gluster puts some reasons on the one stream, some on the other. */
function said({ stdout, stderr }: Ended): string {
  const lines = [stderr, stdout].flatMap((text) => text.split('\n')).map((line) => line.trim())
  return oneLine([...new Set(lines.filter((line) => line !== ''))].join('; '), 1000) || 'no answer'
}

// glusterd-errno.h: EG_ANOTRANS.
const busyErrno = 30802
const busyWords =
  /another transaction (is|could be) in progress|please try again after some time|locking failed on/i
// A glusterd that is started anew; ssh on the way to it, which ends with 255.
const awayWords =
  /check if gluster daemon is operational|^ssh: |Connection (refused|reset|timed out|closed) by|kex_exchange_identification/i
// `Volume nosuch does not exist`, `Geo-replication session between ... does not exist.`, `No active geo-replication
// sessions between ...`; the secondary's words in a create are not met here.
const notThereWords = /\bdoes not exist|no active geo-replication sessions/i

/** What a command that failed without XML said. */
export function failureIn(ended: Ended): CommandFailed {
  return failureOf(ended, said(ended))
}

function failureOf(ended: Ended, why: string, errno?: number): CommandFailed {
  if (errno === busyErrno || busyWords.test(why)) return new Busy(...words(ended, why))
  if (notThereWords.test(why)) return new NotThere(...words(ended, why))
  return new CommandFailed(...words(ended, why))
}

function words(ended: Ended, why: string): ConstructorParameters<typeof CommandFailed> {
  const { argv, exitCode } = ended
  const hint = hintFor(why)
  return [`${commandLine(argv)}: ${why}`, { argv, exitCode, ...(hint === undefined ? {} : { hint }) }]
}
