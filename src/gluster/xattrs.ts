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
  const name = 'glusterfs.gfid.string'
  const gfids = new Map<string, string>()
  for (const [path, found] of await attributesOf(root, paths, ['-e', 'text', '-n', name], signal)) {
    const [, gfid] = /^"([0-9a-f-]{36})"$/.exec(found.get(name) ?? '') ?? []
    if (gfid !== undefined) gfids.set(path, gfid)
  }
  return gfids
}

/** The size of a shard and of the whole file, as the first piece of a sharded file has them noted. */
export async function shardingOf(
  root: string,
  path: string,
  signal: AbortSignal,
): Promise<{ shardBytes: number; sizeBytes: number } | undefined> {
  const prefix = 'trusted.glusterfs.shard.'
  // Of several `-n` getfattr heeds the last one only.
  const found = await attributesOf(root, [path], ['-e', 'hex', '-d', '-m', `^${prefix}`], signal)
  // Both begin with a 64-bit number, big endian (xlators/features/shard).
  const numberOf = (name: string): number =>
    Number.parseInt(found.get(path)?.get(`${prefix}${name}`)?.slice(2, 18) ?? '', 16)
  const [shardBytes, sizeBytes] = [numberOf('block-size'), numberOf('file-size')]
  return Number.isNaN(shardBytes) || Number.isNaN(sizeBytes) ? undefined : { shardBytes, sizeBytes }
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

/** By path and name, as getfattr prints them. */
async function attributesOf(
  root: string,
  paths: readonly string[],
  options: readonly string[],
  signal: AbortSignal,
): Promise<Map<string, Map<string, string>>> {
  const found = new Map<string, Map<string, string>>()
  for (const some of groups(paths)) {
    const argv = ['getfattr', '--absolute-names', ...options, '--', ...some.map((path) => join(root, path))]
    const stdout = await listedBy(argv, root, signal)
    let attributes = new Map<string, string>()
    for (const line of stdout.split('\n')) {
      if (line.startsWith('# file: ')) {
        attributes = new Map()
        found.set(line.slice('# file: '.length + root.length + 1), attributes)
      }
      const [, name, value] = /^([^#=]+)=(.*)$/.exec(line) ?? []
      if (name !== undefined && value !== undefined) attributes.set(name, value)
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
