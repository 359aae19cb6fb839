import { basename } from 'node:path'
import { execa } from 'execa'
import { CommandFailed } from '../model/errors.ts'

/** A command that ran to its end, well or badly. */
export interface Ended {
  argv: readonly string[]
  exitCode: number
  stdout: string
  stderr: string
}

const maxOutputBytes = 4 * 1024 * 1024

/**
 * Runs a command after a prefix (`['ssh', 'root@node']`, or nothing), never through a shell of this machine. Throws
 * CommandFailed when it could not run to its end, and the signal's reason when that was the cause.
 */
export async function runAt(
  prefix: readonly string[],
  command: readonly string[],
  options: { timeoutMs: number; signal: AbortSignal },
): Promise<Ended> {
  options.signal.throwIfAborted()
  const argv = withPrefix(prefix, command)
  const [program = '', ...args] = argv
  // cron's PATH has no sbin, where Gluster's programs and umount may lie.
  const result = await execa(program, args, {
    env: {
      ...plainEnglish,
      PATH: `${process.env['PATH'] ?? '/usr/bin:/bin'}:/usr/local/sbin:/usr/sbin:/sbin`,
    },
    stdin: 'ignore',
    timeout: options.timeoutMs,
    cancelSignal: options.signal,
    maxBuffer: maxOutputBytes,
    reject: false,
  })
  options.signal.throwIfAborted()
  if (result.exitCode !== undefined && !result.timedOut && !result.isMaxBuffer) {
    return { argv, exitCode: result.exitCode, stdout: result.stdout.trim(), stderr: result.stderr.trim() }
  }
  throw didNotEnd(argv, options.timeoutMs, result)
}

const plainEnglish = { LC_ALL: 'C', TZ: 'UTC' }

function withPrefix(prefix: readonly string[], command: readonly string[]): readonly string[] {
  if (prefix.length === 0) return command
  // ssh, sudo and the like do not hand our environment on.
  const there = [
    'env',
    ...Object.entries(plainEnglish).map(([name, value]) => `${name}=${value}`),
    ...command,
  ]
  if (!prefix.some((part) => basename(part) === 'ssh')) return [...prefix, ...there]
  // ssh joins its arguments with blanks into one line for the login shell of the other side, which would split and
  // expand them once more; so each is quoted for a POSIX shell.
  return [...prefix, ...there.map(quoted)]
}

function quoted(argument: string): string {
  return /^[\w@%+=:,./-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", `'\\''`)}'`
}

function didNotEnd(
  argv: readonly string[],
  timeoutMs: number,
  result: {
    code?: string | undefined
    timedOut: boolean
    isMaxBuffer: boolean
    signal?: string | undefined
    cause?: unknown
  },
): CommandFailed {
  const line = commandLine(argv)
  const fail = (why: string, hint: string) =>
    new CommandFailed(`${line}: ${why}`, { argv, hint, ...(result.cause ? { cause: result.cause } : {}) })
  if (result.timedOut) {
    return fail(
      `no answer within ${timeoutMs / 1000} s`,
      'look whether the command answers when it is run by hand',
    )
  }
  if (result.isMaxBuffer)
    return fail('its answer is too long', 'look at what the command prints when run by hand')
  if (result.code === 'ENOENT') return fail(`${argv[0]} not found`, notFoundHint)
  if (result.code === 'EACCES') return fail(`permission denied to run ${argv[0]}`, permissionHint)
  return fail(
    result.signal ? `killed by ${result.signal}` : (result.code ?? 'could not be run'),
    'look whether the command answers when it is run by hand',
  )
}

/** A command for people to read. */
export function commandLine(argv: readonly string[]): string {
  return argv.map(quoted).join(' ')
}

const notFoundHint =
  'install it on the machine that runs it, or give the command prefix that reaches a Gluster node, e.g. ssh root@node'
const permissionHint =
  'run the agent as root, or give a command prefix that runs it as root, e.g. ssh root@node'

const hints: readonly (readonly [RegExp, string])[] = [
  [
    /Host key verification failed/i,
    'connect once by hand and accept the key of the host, as the user of the agent',
  ],
  [
    /Permission denied \((publickey|password|keyboard)/i,
    'let the key of the user of the agent in at the other host: ssh-copy-id',
  ],
  [
    /Could not resolve hostname|Connection refused|No route to host|Connection timed out/i,
    'look whether the host is up and its name is right',
  ],
  [
    /check if gluster daemon is operational|Connection failed/i,
    'on the host that was asked (after the prefix, or with --remote-host): systemctl start glusterd',
  ],
  [/permission denied|operation not permitted|must be root/i, permissionHint],
  [/command not found|No such file or directory|not found$/im, notFoundHint],
  [
    /another transaction|try again after some time|locking failed/i,
    'another Gluster command is running: try again',
  ],
]

/** What to do about what a command said, as far as known. */
export function hintFor(said: string): string | undefined {
  return hints.find(([pattern]) => pattern.test(said))?.[1]
}
