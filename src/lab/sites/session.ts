import { runIn } from './nodes.ts'
import { type LabOptions, type LabPair, pairsOf } from './plan.ts'
import { until } from './until.ts'
import { gluster } from './volumes.ts'

/** Creates the geo-replication sessions and leaves them in state Created. */
export async function createSessions(options: LabOptions, syncMethod: 'rsync' | 'tarssh'): Promise<void> {
  await gluster(options, 'gp1', 'system::', 'execute', 'gsec_create')
  for (const pair of pairsOf(options)) await createSession(options, pair, syncMethod)
}

async function createSession(
  options: LabOptions,
  { primary, secondary }: LabPair,
  syncMethod: 'rsync' | 'tarssh',
): Promise<void> {
  const georep = ['volume', 'geo-replication', primary, `gs1::${secondary}`]
  // 15 s between changelogs by default; with 1 the changelogs get equal times and gsyncd turns Faulty for good.
  await gluster(options, 'gp1', 'volume', 'set', primary, 'changelog.rollover-time', '2')
  await gluster(options, 'gp1', ...georep, 'create', 'push-pem')
  // The hook that carries the keys over and turns read-only on runs after the command has returned.
  await until('the session keys on the secondary', 60_000, async () => {
    const keys = await runIn(options, 'gs1', ['cat', '/root/.ssh/authorized_keys'])
    const info = await gluster(options, 'gs1', 'volume', 'info', secondary)
    return keys.includes('gsyncd') && /features.read-only: on/.test(info)
  })
  if (syncMethod === 'tarssh') await gluster(options, 'gp1', ...georep, 'config', 'sync-method', 'tarssh')
}
