import { join } from 'node:path'
import { CommandFailed, Failure } from '../model/errors.ts'
import { uuid } from '../model/names.ts'
import { oneLine, shown } from '../model/shown.ts'
import { runAt } from './run.ts'

const filesPerCommand = 200
const timeoutMs = 120_000

/** The gfid of each of these files, by the path given; what does not exist has none. Node has no call for extended attributes. */
export async function gfidsOf(
  root: string,
  paths: readonly string[],
  signal: AbortSignal,
): Promise<Map<string, string>> {
  const stdout = await listing(root, paths, ['-e', 'text', '-n', 'glusterfs.gfid.string'], signal)
  return listedIn(stdout, root, gfidIn)
}

/** The gfid that a line of getfattr shows. */
export function gfidIn(line: string): string | undefined {
  const [, gfid = ''] = /^glusterfs\.gfid\.string="([^"]*)"$/.exec(line) ?? []
  return uuid.test(gfid) ? gfid : undefined
}

/** The size of a shard and of the whole file, as the first piece of a sharded file has them noted. */
export async function shardingOf(
  root: string,
  path: string,
  signal: AbortSignal,
): Promise<{ shardBytes: number; sizeBytes: number } | undefined> {
  const prefix = 'trusted.glusterfs.shard.'
  // Of several `-n` getfattr heeds the last one only.
  const stdout = await listing(root, [path], ['-e', 'hex', '-d', '-m', `^${prefix}`], signal)
  const numberOf = (name: string): number | undefined =>
    listedIn(stdout, root, (line) => numberIn(line, `${prefix}${name}`)).get(path)
  const [shardBytes, sizeBytes] = [numberOf('block-size'), numberOf('file-size')]
  return shardBytes === undefined || sizeBytes === undefined ? undefined : { shardBytes, sizeBytes }
}

/**
 * The number that an attribute of sharding begins with: 64 bits, big endian (xlators/features/shard). Throws Failure where the
 * attribute is shown and is none: taken for absent, the file would pass for one that is stored in one piece.
 */
export function numberIn(line: string, attribute: string): number | undefined {
  if (!line.startsWith(`${attribute}=`)) return undefined
  const value = line.slice(attribute.length + 1)
  const [, hex] = /^0x([0-9a-f]{16})/.exec(value) ?? []
  const number = hex === undefined ? Number.NaN : Number.parseInt(hex, 16)
  if (Number.isSafeInteger(number)) return number
  throw new Failure(`the attribute ${attribute} is ${shown(value)}, which is no number of bytes`)
}

/** Sets an attribute on files; the path of one that does not exist (any more) is skipped. Throws CommandFailed. */
export async function setOnAll(
  root: string,
  paths: readonly string[],
  [name, value]: readonly [string, string],
  signal: AbortSignal,
): Promise<void> {
  for (const some of groups(paths)) {
    const argv = ['setfattr', '-n', name, '-v', value, '--', ...some.map((path) => join(root, path))]
    const { exitCode, stderr } = await runAt([], argv, { timeoutMs, signal })
    const wrong = linesOf(stderr).filter((line) => !/No such file or directory$/.test(line))
    if (exitCode === 0 || wrong.length === 0) continue
    throw new CommandFailed(`setting ${name} below ${root}: ${oneLine(wrong.join('; '))}`, {
      argv,
      exitCode,
    })
  }
}

/** What getfattr prints of these files. */
async function listing(
  root: string,
  paths: readonly string[],
  options: readonly string[],
  signal: AbortSignal,
): Promise<string> {
  let stdout = ''
  for (const some of groups(paths)) {
    const argv = ['getfattr', '--absolute-names', ...options, '--', ...some.map((path) => join(root, path))]
    stdout += `${await listedBy(argv, root, signal)}\n`
  }
  return stdout
}

/** The values that getfattr lists, by path relative to the root. */
export function listedIn<T>(
  stdout: string,
  root: string,
  valueIn: (line: string) => T | undefined,
): Map<string, T> {
  const found = new Map<string, T>()
  let path = ''
  for (const line of stdout.split('\n')) {
    if (line.startsWith('# file: ')) path = line.slice('# file: '.length + root.length + 1)
    const value = valueIn(line)
    if (value !== undefined) found.set(path, value)
  }
  return found
}

/** What has no such attribute, or is gone, is missing in the answer. Whatever else goes wrong must not look like that. */
async function listedBy(argv: readonly string[], root: string, signal: AbortSignal): Promise<string> {
  const { stdout, stderr, exitCode } = await runAt([], argv, { timeoutMs, signal })
  const wrong = linesOf(stderr).filter((line) => !/(No such file or directory|No such attribute)$/.test(line))
  if (wrong.length === 0 && (exitCode === 0 || exitCode === 1)) return stdout
  throw new CommandFailed(`reading attributes below ${root}: ${oneLine(wrong.join('; '))}`, {
    argv,
    exitCode,
  })
}

function linesOf(text: string): string[] {
  return text.split('\n').filter((line) => line !== '')
}

function groups(paths: readonly string[]): string[][] {
  return Array.from({ length: Math.ceil(paths.length / filesPerCommand) }, (_, at) =>
    paths.slice(at * filesPerCommand, (at + 1) * filesPerCommand),
  )
}
