import type { Site } from '../model/site.ts'
import type { Run } from '../run/run.ts'
import { until } from '../run/until.ts'
import { newTag, tagPrefix } from './names.ts'
import type { BackupOptions } from './options.ts'
import type { BackupPlan } from './plan.ts'

const updateMs = 300_000

/**
 * Lets the engine write its VM documents to the domain while they still name the bases: after a snapshot they would name
 * overlays, and a VM imported from them could not start. Throws when the engine cannot.
 */
export async function updateOvfStore(
  run: Run,
  site: Site,
  plan: BackupPlan,
  options: BackupOptions,
): Promise<void> {
  const tag = newTag(run)
  await site.hypervisor.updateOvfStore(plan.domain, tag, run.signal)
  let seen = 'no job yet'
  await until(
    {
      what: 'the engine to write the OVF store',
      clock: run.clock,
      intervalMs: options.intervalMs,
      deadlineMs: updateMs,
      signal: run.signal,
      lastSeen: () => seen,
    },
    async () => {
      const { jobs } = await site.hypervisor.observe([], tagPrefix(run.id), run.signal)
      const job = jobs.find((one) => one.tag === tag)
      seen = job?.state ?? 'no job'
      // The engine forgets finished jobs; with nothing to write it may never show one.
      return job === undefined || job.state !== 'running' ? seen : undefined
    },
  )
  if (seen === 'failed') {
    const text = `the OVF store of ${plan.domain.name} could not be updated: VMs may be registered from an older state`
    run.emit({ kind: 'note', severity: 'warning', text })
  }
}
