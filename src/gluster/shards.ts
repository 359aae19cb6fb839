import { lstat, opendir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { isAbsent } from '../model/errors.ts'
import { uuid } from '../model/names.ts'

/**
 * Removes the shards of files that were deleted on a volume that is read-only for others; how many. `root` is a mount of
 * it with `--client-pid=-1 --aux-gfid-mount`.
 *
 * A deletion of a sharded file leaves a mark, and the client then removes the shards in the background, as nobody in
 * particular (pid 0): the bricks of a read-only volume refuse that, and the shards stay (tried, 10.3). Only
 * geo-replication's own pid -1 may look into `.shard`; that pid in turn removes a file without its shards and without a
 * mark, so the file and its shards are removed through two mounts.
 */
export async function removeMarkedShards(root: string): Promise<number> {
  const shards = join(root, '.shard')
  const names = await readdir(join(shards, '.remove_me')).catch(emptyWhenAbsent)
  // What is no gfid marks no file, and would be looked for where no file of that name can be.
  const marks = names.filter((name) => uuid.test(name))
  const gone = new Set<string>()
  for (const gfid of marks) if (await isGone(join(root, '.gfid', gfid))) gone.add(gfid)
  if (gone.size === 0) return 0
  const orphans: string[] = []
  for await (const { name } of await opendir(shards)) {
    if (gone.has(name.slice(0, name.lastIndexOf('.')))) orphans.push(name)
  }
  // A client that may write can be at the same work.
  for (const name of orphans) await rm(join(shards, name), { force: true })
  for (const gfid of gone) await rm(join(shards, '.remove_me', gfid), { force: true })
  return orphans.length
}

/** A mark is set before the file goes: the file may still be there. */
async function isGone(path: string): Promise<boolean> {
  try {
    await lstat(path)
    return false
  } catch (error) {
    if (isAbsent(error)) return true
    throw error
  }
}

function emptyWhenAbsent(error: unknown): string[] {
  if (isAbsent(error)) return []
  throw error
}
