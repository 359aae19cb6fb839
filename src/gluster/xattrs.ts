import { join } from 'node:path'
import { CommandFailed } from '../model/errors.ts'
import { runAt } from './run.ts'

const filesPerCommand = 200
const timeoutMs = 120_000

/** The gfid of each of these files, by the path given; what does not exist has none. Node has no call for extended attributes. */
export async function gfidsOf(
  root: string,
  paths: readonly string[],
  signal: AbortSignal,
): Promise<Map<string, string>> {
  return attributesOf(
    root,
    paths,
    ['-e', 'text', '-n', 'glusterfs.gfid.string'],
    signal,
    (line) => /^glusterfs\.gfid\.string="([0-9a-f-]{36})"$/.exec(line)?.[1],
  )
}

/** The size of a shard and of the whole file, as the first piece of a sharded file has them noted. */
export async function shardingOf(
  root: string,
  path: string,
  signal: AbortSignal,
): Promise<{ shardBytes: number; sizeBytes: number } | undefined> {
  const read = async (name: string): Promise<number | undefined> => {
    const attribute = `trusted.glusterfs.shard.${name}`
    // Both begin with a 64-bit number, big endian (xlators/features/shard).
    const found = await attributesOf(root, [path], ['-e', 'hex', '-n', attribute], signal, (line) => {
      const hex = line.startsWith(`${attribute}=0x`)
        ? line.slice(attribute.length + 3, attribute.length + 19)
        : ''
      return hex === '' ? undefined : Number.parseInt(hex, 16)
    })
    return found.get(path)
  }
  const shardBytes = await read('block-size')
  const sizeBytes = shardBytes === undefined ? undefined : await read('file-size')
  return shardBytes === undefined || sizeBytes === undefined ? undefined : { shardBytes, sizeBytes }
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
    throw new CommandFailed(`setting ${name} below ${root}: ${wrong.join('; ').slice(0, 600)}`, {
      argv,
      exitCode,
    })
  }
}

async function attributesOf<T>(
  root: string,
  paths: readonly string[],
  options: readonly string[],
  signal: AbortSignal,
  valueIn: (line: string) => T | undefined,
): Promise<Map<string, T>> {
  const found = new Map<string, T>()
  for (const some of groups(paths)) {
    const argv = ['getfattr', '--absolute-names', ...options, '--', ...some.map((path) => join(root, path))]
    const stdout = await listedBy(argv, root, signal)
    let path = ''
    for (const line of stdout.split('\n')) {
      if (line.startsWith('# file: ')) path = line.slice('# file: '.length + root.length + 1)
      const value = valueIn(line)
      if (value !== undefined) found.set(path, value)
    }
  }
  return found
}

/** What has no such attribute, or is gone, is missing in the answer. Whatever else goes wrong must not look like that. */
async function listedBy(argv: readonly string[], root: string, signal: AbortSignal): Promise<string> {
  const { stdout, stderr, exitCode } = await runAt([], argv, { timeoutMs, signal })
  const wrong = linesOf(stderr).filter((line) => !/(No such file or directory|No such attribute)$/.test(line))
  if (wrong.length === 0 && (exitCode === 0 || exitCode === 1)) return stdout
  throw new CommandFailed(`reading attributes below ${root}: ${wrong.join('; ').slice(0, 600)}`, {
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
