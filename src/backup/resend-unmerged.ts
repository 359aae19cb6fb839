import type { OpenVolume } from '../model/replication.ts'
import type { Site } from '../model/site.ts'
import type { Run } from '../run/run.ts'

/**
 * Sends the overlays of earlier runs whose merge has failed until now: they are part of the frozen chain of this run, and a
 * file that the secondary has lost meanwhile would not come back by itself (Gluster issue 3621).
 */
export async function resendUnmerged(run: Run, site: Site, primary: OpenVolume): Promise<void> {
  const { layout } = site.hypervisor
  const files = run.owed().flatMap(({ run: owner, what }) => {
    if (owner === run.id || what.kind !== 'overlays') return []
    return what.overlays.flatMap(
      ({ image, overlay }) => layout.filesOf(what.domain, image, overlay).inRemovalOrder,
    )
  })
  if (files.length > 0) await site.replication.resend({ primary }, files, run.signal)
}
