import { randomBytes } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { messageOf } from '../model/errors.ts'
import type { OpenVolume } from '../model/replication.ts'
import type { Site } from '../model/site.ts'
import type { Run } from '../run/run.ts'

/** Both ends of the replication, mounted here. */
export interface Ends {
  primary: OpenVolume
  secondary: OpenVolume
}

/**
 * Mounts one end of the replication; the mount is owed before it is made and ends with the returned value, whose disposal
 * does not throw.
 */
export async function openVolume(run: Run, site: Site, end: 'primary' | 'secondary'): Promise<OpenVolume> {
  const dir = join(run.stateDir, 'mnt', `${end}-${randomBytes(4).toString('hex')}`)
  const owed = run.owe({ kind: 'mount', dir, on: run.machine.id })
  await mkdir(dir, { mode: 0o700 })
  const open = end === 'primary' ? site.replication.openPrimary : site.replication.openSecondary
  const volume = await open.call(site.replication, dir, run.signal)
  return {
    dir,
    space: () => volume.space(),
    open: (path, signal) => volume.open(path, signal),
    async [Symbol.asyncDispose]() {
      try {
        await volume[Symbol.asyncDispose]()
        run.strike(owed)
      } catch (error) {
        // It stays owed, and settling tries once more: what was proved of the VMs stands all the same.
        const text = `${dir} is still mounted: ${messageOf(error)}`
        run.emit({ kind: 'note', severity: 'warning', text })
      }
    },
  }
}
