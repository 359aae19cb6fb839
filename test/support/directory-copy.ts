import type { BigIntStats } from 'node:fs'
import { copyFile, lstat, mkdir, readdir, readlink, rm, symlink, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

interface Entry {
  path: string
  kind: 'directory' | 'file' | 'link'
  id: string
  version: string
}

/** What was sent: by path, which file it was and in which version. */
export type Sent = Record<string, { id: string; version: string }>

/** As geo-replication does it: in place, by identity; a file that was sent and is missing there is not sent again. */
export async function send(
  from: string,
  to: string,
  before: Sent,
  lost: string[],
): Promise<{ sent: Sent; changedMs: number }> {
  const { entries, changedMs } = await walk(from)
  const sent: Sent = {}
  const gone = Object.keys(before).filter((path) => entries.every((entry) => entry.path !== path))
  for (const path of gone.toSorted().toReversed()) await rm(join(to, path), { recursive: true, force: true })
  for (const entry of entries) {
    const last = before[entry.path]
    sent[entry.path] = { id: entry.id, version: entry.version }
    if (last?.id === entry.id && (last.version === entry.version || !(await exists(join(to, entry.path)))))
      continue
    await sendOne(entry, from, to, lost.includes(entry.path))
  }
  return { sent, changedMs }
}

async function sendOne(entry: Entry, from: string, to: string, isLost: boolean): Promise<void> {
  const target = join(to, entry.path)
  if (entry.kind === 'directory') await mkdir(target, { recursive: true })
  else if (entry.kind === 'link') {
    await rm(target, { force: true })
    await symlink(await readlink(join(from, entry.path)), target)
  } else if (isLost) {
    await writeFile(target, '', { flag: 'a' })
    await truncate(target)
  } else {
    // A base may vanish between the walk and the copy (a merge ended): it goes with the next look.
    await copyFile(join(from, entry.path), target).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error
    })
  }
}

async function walk(root: string): Promise<{ entries: Entry[]; changedMs: number }> {
  const entries: Entry[] = []
  let changedMs = (await lstat(root)).ctimeMs
  for (const path of (await readdir(root, { recursive: true })).toSorted()) {
    // A file may vanish between the listing and this look.
    const found = await lstat(join(root, path), { bigint: true }).catch(() => undefined)
    if (found === undefined) continue
    changedMs = Math.max(changedMs, Number(found.ctimeMs))
    entries.push(entryOf(path, found))
  }
  return { entries, changedMs }
}

function entryOf(path: string, found: BigIntStats): Entry {
  const kind = found.isDirectory() ? 'directory' : found.isSymbolicLink() ? 'link' : 'file'
  const version = kind === 'directory' ? '' : `${found.mtimeNs}.${found.size}`
  return { path, kind, id: `${found.ino}.${found.birthtimeNs}`, version }
}

async function exists(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => undefined)) !== undefined
}
