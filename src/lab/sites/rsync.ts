import { access, mkdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'

// rsync 3.5.0 as receiver does not see gsyncd's virtual directory ".gfid", syncs nothing and exits 0.
const version = '3.2.7-1+deb12u6'
const cache = '/var/cache/vmbackup-lab'

/** Path of an rsync that geo-replication works with, fetched once; undefined where Debian no longer offers it. */
export async function workingRsync(): Promise<string | undefined> {
  const unpacked = join(cache, `rsync-${version}`)
  const program = join(unpacked, 'usr/bin/rsync')
  if (await exists(program)) return program
  const download = join(cache, `download-${process.pid}`)
  await mkdir(download, { recursive: true })
  try {
    // apt drops root for the download where it can; a directory it may not enter only makes it warn.
    await execa('apt-get', ['-qq', 'download', `rsync=${version}`], { cwd: download })
    await execa('bash', ['-c', 'dpkg-deb -x rsync_*.deb unpacked'], { cwd: download })
    await rename(join(download, 'unpacked'), unpacked).catch(() => undefined)
  } catch {
    return undefined
  } finally {
    await rm(download, { recursive: true, force: true })
  }
  return (await exists(program)) ? program : undefined
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
