import { setTimeout as pause } from 'node:timers/promises'
import type { LabClient } from '../client.ts'

const turnMs = 180_000
/** How long the live crawl may keep a checkpoint before a restart is the better answer. */
const liveMs = 25_000
const mostTurns = 4

/**
 * One replication cycle as one would drive it by hand, without any snapshot: checkpoint, start, touch the primary's root until
 * it is reached, stop. The control of every claim of consistency.
 */
export async function replicateByHand(lab: LabClient, pair = lab.status.pairs[0]): Promise<void> {
  if (pair === undefined) throw new Error('the lab has no volumes')
  const { primary, secondary } = pair
  const session = ['volume', 'geo-replication', primary, `${lab.status.secondary.host}::${secondary}`]
  const gluster = (...words: string[]) => lab.run('gp1', 'gluster', '--mode=script', ...session, ...words)
  await using volume = await mountWritable(lab, primary)
  for (let turn = 1; ; turn += 1) {
    await gluster('config', 'checkpoint', 'now')
    await gluster('start')
    const reached = await waitForCheckpoint(lab, volume.dir, gluster)
    await gluster('stop')
    if (reached) return
    // A restarted worker may have lost its change log events; only another restart reads them from history.
    if (turn === mostTurns) throw new Error('the checkpoint of the control cycle was never reached')
  }
}

async function waitForCheckpoint(
  lab: LabClient,
  dir: string,
  gluster: (...words: string[]) => Promise<string>,
): Promise<boolean> {
  const end = Date.now() + turnMs
  let liveSince: number | undefined
  while (Date.now() < end) {
    await lab.run('gp1', 'touch', dir)
    const status = await gluster('status', '--xml').catch(() => '')
    if (/<checkpoint_completed>Yes</.test(status)) return true
    liveSince = /Changelog Crawl/.test(status) ? (liveSince ?? Date.now()) : undefined
    if (liveSince !== undefined && Date.now() - liveSince > liveMs) return false
    await pause(1_000)
  }
  return false
}

async function mountWritable(lab: LabClient, volume: string): Promise<{ dir: string } & AsyncDisposable> {
  const dir = (await lab.run('gp1', 'mktemp', '-d', '/run/by-hand.XXXXXX')).trim()
  await lab.run('gp1', 'mount', '-t', 'glusterfs', `gp1:/${volume}`, dir)
  return {
    dir,
    [Symbol.asyncDispose]: async () => {
      await lab.run('gp1', 'umount', dir)
      await lab.run('gp1', 'rmdir', dir)
    },
  }
}
