import { fileOf, type Layer } from './block-nodes.ts'
import type { Qmp, QmpEvent } from './qmp.ts'

/** Lets go of a layer that nothing uses any more. */
export async function release(qmp: Qmp, layer: Layer): Promise<void> {
  // Without these the next snapshot is refused: the base "is used as backing hd".
  await qmp.run('blockdev-del', { 'node-name': layer.node }).catch(() => undefined)
  await qmp.run('blockdev-del', { 'node-name': fileOf(layer) })
}

/** Commits `top` into `base`, with pivot if it is the active layer; ends with the job, throws if that failed. */
export async function commit(
  qmp: Qmp,
  { active, top, base }: { active: Layer; top: Layer; base: Layer },
): Promise<void> {
  const job = `merge-${top.node}`
  const concerns = ({ event, data }: QmpEvent, ...names: string[]) =>
    names.includes(event) && data['device'] === job
  const ended = qmp.event((event) => concerns(event, 'BLOCK_JOB_COMPLETED', 'BLOCK_JOB_CANCELLED'))
  const args = { 'job-id': job, device: active.node, 'top-node': top.node, 'base-node': base.node }
  const isActive = active === top
  const ready = isActive ? qmp.event((event) => concerns(event, 'BLOCK_JOB_READY')) : ended
  const [, first] = await Promise.all([
    qmp.run('block-commit', isActive ? args : { ...args, 'backing-file': base.volume }),
    Promise.race([ready, ended]),
  ])
  if (first.event === 'BLOCK_JOB_READY') await qmp.run('block-job-complete', { device: job })
  const { event, data } = await ended
  if (event !== 'BLOCK_JOB_COMPLETED' || data['error'] !== undefined)
    throw new Error(`live merge of ${top.volume} failed: ${String(data['error'] ?? event)}`)
}
