import { constants } from 'node:fs'
import { access, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Result } from 'execa'
import { UsageError } from '../model/errors.ts'
import { readText, reasonOf } from './files.ts'
import type { Secret } from './secret.ts'

/** The keys of `[connection]` that say where the password is. */
export interface PasswordKeys {
  readonly password: Secret | undefined
  readonly passwordFile: string | undefined
  readonly passwordCommand: readonly string[] | undefined
}

type Environment = Readonly<Record<string, string | undefined>>

type Origin =
  | { from: 'the key'; secret: Secret }
  | { from: 'a file'; path: string }
  | { from: 'a command'; argv: readonly string[] }
  | { from: 'the environment'; value: string }

const commandTimeLimitMs = 30_000
const mostBytes = 4096

/**
 * The password, looked up anew at each call so that a changed one is found: from password, password_file or
 * password_command, else the systemd credential `vmbackup-password`, else VMBACKUP_PASSWORD. Throws UsageError, which
 * never holds what a file or a command gave.
 */
export function passwordSource(
  config: { readonly connection: PasswordKeys },
  env: Environment,
  timeLimitMs = commandTimeLimitMs,
): () => Promise<string> {
  return async () => {
    const origin = await findOrigin(config.connection, env)
    switch (origin?.from) {
      case 'the key':
        return checked(origin.secret.reveal(), 'the key password')
      case 'a file':
        return checked(
          (await readText(origin.path, 'password file', mostBytes)).text,
          `password file ${origin.path}`,
        )
      case 'a command':
        return checked(await outputOf(origin.argv, env, timeLimitMs), 'the output of password_command')
      case 'the environment':
        return checked(origin.value, 'VMBACKUP_PASSWORD')
      case undefined:
        throw new UsageError("there is no password for the engine's user", { hint: waysToGiveIt })
    }
  }
}

const waysToGiveIt =
  'set password_file or password_command in [connection], the systemd credential vmbackup-password, or VMBACKUP_PASSWORD'

/** What can be told of the password's source without asking it: what is wrong, and what deserves a warning. */
export async function lookAtPassword(
  keys: PasswordKeys,
  env: Environment,
): Promise<{ problem?: { key: string; what: string }; warnings: string[] }> {
  const origin = await findOrigin(keys, env)
  if (origin === undefined) {
    return { problem: { key: 'password', what: `is given nowhere; ${waysToGiveIt}` }, warnings: [] }
  }
  if (origin.from !== 'a file' || keys.passwordFile === undefined) return { warnings: [] }
  const { problem, warnings } = await lookAtSecretFile(`password file ${origin.path}`, origin.path)
  return problem === undefined
    ? { warnings }
    : { problem: { key: 'password_file', what: problem }, warnings: [] }
}

/** What can be told of a file that holds a secret without reading it. */
export async function lookAtSecretFile(
  what: string,
  path: string,
): Promise<{ problem?: string; warnings: string[] }> {
  try {
    await access(path, constants.R_OK)
    const found = await stat(path)
    if (found.isDirectory()) return { problem: 'cannot be read: it is a folder', warnings: [] }
    return { warnings: permissionWarnings(what, path, found.mode) }
  } catch (error) {
    return { problem: `cannot be read: ${reasonOf(error)}`, warnings: [] }
  }
}

/** A warning when others than its owner can read or change a file that holds a secret. */
export function permissionWarnings(what: string, path: string, mode: number): string[] {
  if ((mode & 0o077) === 0) return []
  const octal = (mode & 0o777).toString(8).padStart(4, '0')
  return [`${what} is open to others than its owner (mode ${octal}): chmod 600 ${path}`]
}

async function findOrigin(keys: PasswordKeys, env: Environment): Promise<Origin | undefined> {
  if (keys.password) return { from: 'the key', secret: keys.password }
  if (keys.passwordFile) return { from: 'a file', path: keys.passwordFile }
  if (keys.passwordCommand) return { from: 'a command', argv: keys.passwordCommand }
  const credentials = env['CREDENTIALS_DIRECTORY']
  const path = credentials ? join(credentials, 'vmbackup-password') : undefined
  if (path && (await exists(path))) return { from: 'a file', path }
  const value = env['VMBACKUP_PASSWORD']
  return value ? { from: 'the environment', value } : undefined
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}

function checked(text: string, origin: string): string {
  const password = text.replace(/(\r?\n)+$/, '')
  if (password === '') throw new UsageError(`${origin} is empty, so there is no password`)
  if (/[\n\r\0]/.test(password)) throw new UsageError(`${origin} has more than one line; a password has one`)
  return password
}

async function outputOf(argv: readonly string[], env: Environment, timeLimitMs: number): Promise<string> {
  const [program = '', ...rest] = argv
  // Loaded here, since most have no such command, and it takes four times as long as Node's own start.
  const { execa } = await import('execa')
  const command = execa(program, rest, {
    env: { ...env },
    extendEnv: false,
    stdin: 'ignore',
    stderr: 'ignore',
    stripFinalNewline: false,
    maxBuffer: mostBytes,
    reject: false,
    // A group of its own: a child that it left behind would keep the pipe open past the time limit.
    detached: true,
  })
  let late = false
  const timer = setTimeout(() => {
    late = true
    killGroup(command.pid)
    command.stdout.destroy()
  }, timeLimitMs)
  try {
    const result = await command
    if (result.failed || late) throw commandFailure(program, late ? 'was not done in time' : ending(result))
    return result.stdout
  } finally {
    clearTimeout(timer)
  }
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // Gone already.
  }
}

// Made from the bare facts: execa's own message holds the output and the arguments.
function commandFailure(program: string, how: string): UsageError {
  return new UsageError(`password_command (${program}) ${how}`, {
    hint: 'run it by hand as the user that vmbackup runs as: it must print the password and exit with 0',
  })
}

function ending(result: Pick<Result, 'exitCode' | 'code' | 'signal' | 'isMaxBuffer'>): string {
  if (result.isMaxBuffer) return 'printed more than a password'
  if (result.exitCode !== undefined) return `ended with exit code ${result.exitCode}`
  return result.signal
    ? `was ended by ${result.signal}`
    : `cannot be run (${result.code ?? 'unknown reason'})`
}
