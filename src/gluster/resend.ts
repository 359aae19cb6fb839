import { utimes } from 'node:fs/promises'
import { join } from 'node:path'
import pLimit from 'p-limit'
import { isAbsent } from '../model/errors.ts'
import { piecesOf } from './sharded-file.ts'
import { gfidsOf, setOnAll } from './xattrs.ts'

// Recorded in the change log as a change of entry and data, without touching the file (changelog.c).
const trigger = ['glusterfs.geo-rep.trigger-sync', '1'] as const
const longAgo = new Date(1_000)
const filesAtOnce = 8

/** One end of the session: its root, and its root as geo-replication sees it where the volume is sharded. */
export interface End {
  dir: string
  raw?: string
}

/**
 * Lets geo-replication send files of the primary again. The change log does not record what geo-replication's own pid does, and
 * no other may look into `.shard`: so pieces are named through that pid, and triggered by gfid through an ordinary mount with
 * `--aux-gfid-mount`. rsync passes over what has the same size and time: so the time of the copy is put back (tried, 10.3).
 */
export async function resend(
  ends: { primary: End; secondary?: End },
  files: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  const { raw, dir } = ends.primary
  const here = await piecesOfAll(ends.primary, files, signal)
  if (ends.secondary !== undefined)
    await outdate(ends.secondary, await piecesOfAll(ends.secondary, files, signal))
  await setOnAll(dir, raw === undefined ? files : await gfidPaths(raw, here, signal), trigger, signal)
}

async function gfidPaths(raw: string, pieces: readonly string[], signal: AbortSignal): Promise<string[]> {
  return [...(await gfidsOf(raw, pieces, signal)).values()].map((gfid) => `.gfid/${gfid}`)
}

async function piecesOfAll({ raw }: End, files: readonly string[], signal: AbortSignal): Promise<string[]> {
  if (raw === undefined) return [...files]
  const limit = pLimit(filesAtOnce)
  const found = files.map((file) =>
    limit(async () => {
      const pieces = await piecesOf(raw, file, signal)
      return pieces === undefined ? [file] : [...new Set([file, ...pieces.sizes.keys()])]
    }),
  )
  return (await Promise.all(found)).flat()
}

async function outdate({ dir, raw }: End, pieces: readonly string[]): Promise<void> {
  for (const piece of pieces) {
    await utimes(join(raw ?? dir, piece), longAgo, longAgo).catch((error: unknown) => {
      if (!isAbsent(error)) throw error
    })
  }
}
