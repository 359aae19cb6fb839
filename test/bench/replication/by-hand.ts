import { utimes } from 'node:fs/promises'
import { setTimeout as pause } from 'node:timers/promises'
import { execa } from 'execa'

/** With the live crawl at work for so long and the checkpoint not reached, the change log's events were lost (10.3). */
const lostAfterMs = 25_000
const lookMs = 100
/** A worker sleeps for so long before it is up (10.3): until then each look would only keep it from that. */
const comingUpMs = 4000

/**
 * The floor: what somebody would do by hand who knows Gluster well and watches every moment. Checkpoint, start, touch the mount's root
 * again and again, stop as soon as the checkpoint is reached. False when Gluster lost its own events and only another start would help.
 */
export async function cycleByHand(dir: string): Promise<boolean> {
  const begun = Math.floor(Date.now() / 1000)
  await session('config', 'checkpoint', 'now')
  await session('start')
  const upAt = Date.now() + comingUpMs
  while (Date.now() < upAt) {
    await touch(dir)
    await pause(lookMs)
  }
  let liveSince: number | undefined
  let reached = false
  while (!reached && Date.now() - (liveSince ?? Date.now()) < lostAfterMs) {
    await touch(dir)
    const status = await session('status', '--xml')
    reached = /<checkpoint_completed>Yes</.test(status) && checkpointIn(status) >= begun
    if (/Changelog Crawl/.test(status)) liveSince ??= Date.now()
    if (!reached) await pause(lookMs)
  }
  await session('stop')
  return reached
}

async function touch(dir: string): Promise<void> {
  const now = new Date()
  await utimes(dir, now, now)
}

/** An older checkpoint that was reached is none. */
function checkpointIn(status: string): number {
  const [, at = ''] = /<checkpoint_time>([-\d]+ [:\d]+)</.exec(status) ?? []
  return Date.parse(`${at.replace(' ', 'T')}Z`) / 1000
}

async function session(...words: string[]): Promise<string> {
  const which = ['volume', 'geo-replication', 'data', 'gs1::data-dr']
  const { stdout } = await execa('gluster', ['--mode=script', ...which, ...words], { env: { LC_ALL: 'C' } })
  return stdout
}
