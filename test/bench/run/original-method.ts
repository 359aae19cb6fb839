import { setTimeout as pause } from 'node:timers/promises'
import { z } from 'zod'
import type { LabClient, LabVm } from '../../../src/lab/client.ts'
import { cycleOfScript } from '../replication/script.ts'

const pollMs = 10_000
const description = 'before replication'

const snapshotShape = z.object({ id: z.string(), snapshot_status: z.string() })
const disksShape = z.object({
  disk_attachment: z.array(z.object({ disk: z.object({ id: z.string(), image_id: z.string() }) })),
})

/** A VM under a snapshot of ours, and the files that its guest writes to since, relative to the volume. */
interface Frozen {
  vm: LabVm
  snapshot: string
  overlays: string[]
}

/**
 * Makes a copy as the tool did that this one replaces: VM after VM a snapshot, looked at every 10 s; Gluster's script; the overlays
 * deleted on the secondary; VM after VM the merge, looked at every 10 s. Returns the seconds for which the script hung, which is Gluster's
 * own fault and no part of the method.
 */
export async function copyByOriginalMethod(
  lab: LabClient,
  vms: readonly LabVm[],
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<number> {
  const [pair] = await lab.pairs()
  if (pair === undefined) throw new Error('the lab has no storage domain')
  const frozen: Frozen[] = []
  for (const vm of vms) {
    const snapshot = await takeSnapshot(lab, vm, signal)
    frozen.push({ vm, snapshot, overlays: await overlaysOf(lab, vm, pair.id) })
  }
  say('the snapshots are taken')
  const lostSeconds = await replicate(lab, pair, say, signal)
  const dir = (await lab.run('gp1', 'mktemp', '-d')).trim()
  // The secondary is read-only for others; what it did about that is not known to us, and this costs nothing.
  await lab.run(
    'gp1',
    'glusterfs',
    '--client-pid=-4',
    '--volfile-server=gs1',
    `--volfile-id=${pair.secondary}`,
    dir,
  )
  try {
    const files = frozen.flatMap(({ overlays }) =>
      overlays.flatMap((one) => ['', '.lease', '.meta'].map((end) => dir + one + end)),
    )
    await lab.run('gp1', 'rm', '-f', ...files)
    for (const one of frozen) await merge(lab, one, signal)
  } finally {
    await lab.run('gp1', 'umount', dir)
    await lab.run('gp1', 'rmdir', dir)
  }
  return lostSeconds
}

/** By Gluster's script, again where it hung; returns for how many seconds it did. */
async function replicate(
  lab: LabClient,
  pair: { primary: string; secondary: string },
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<number> {
  const began = performance.now()
  for (;;) {
    const at = performance.now()
    const isDone = await cycleOfScript(pair, signal, (...argv) => lab.at('gp1', ...argv))
    say(`the script ${isDone ? 'is done' : 'hung and was ended'}`)
    if (isDone) return (at - began) / 1000
  }
}

async function takeSnapshot(lab: LabClient, { id }: LabVm, signal: AbortSignal): Promise<string> {
  const path = `/vms/${id}/snapshots`
  const order = { description, persist_memorystate: false }
  let snapshot = snapshotShape.parse(await lab.api('POST', path, order))
  while (snapshot.snapshot_status !== 'ok') {
    await pause(pollMs, undefined, { signal })
    snapshot = snapshotShape.parse(await lab.api('GET', `${path}/${snapshot.id}`))
  }
  return snapshot.id
}

async function overlaysOf(lab: LabClient, { id }: LabVm, domain: string): Promise<string[]> {
  const answer = await lab.api('GET', `/vms/${id}/diskattachments?follow=disk`)
  return disksShape
    .parse(answer)
    .disk_attachment.map(({ disk }) => `/${domain}/images/${disk.id}/${disk.image_id}`)
}

async function merge(lab: LabClient, { vm, snapshot }: Frozen, signal: AbortSignal): Promise<void> {
  const path = `/vms/${vm.id}/snapshots/${snapshot}`
  await lab.api('DELETE', path)
  while (await isThere(lab, path)) await pause(pollMs, undefined, { signal })
}

async function isThere(lab: LabClient, path: string): Promise<boolean> {
  try {
    await lab.api('GET', path)
    return true
  } catch (error) {
    if (error instanceof Error && / 404/.test(error.message)) return false
    throw error
  }
}
