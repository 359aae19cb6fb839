import { setTimeout as pause } from 'node:timers/promises'
import type { Dirs, LabClient, LabVm, LabWriter } from '../client.ts'
import { describeVerdict } from '../vms/prover.ts'

/** Between the last acknowledgement and the bricks lies a client's write-behind, which lets go within moments. */
const settleMs = 10_000
const lookMs = 200

/**
 * Proves at the primary that every running guest holds every write that was acknowledged to it, and that nothing else is on its
 * disks: the guests stand still meanwhile. Tells in words what is wrong, empty when all is well.
 */
export async function flawsOfGuests(lab: LabClient): Promise<string[]> {
  const { vms } = await lab.world()
  const writing = await lab.writers()
  const running = vms.filter((vm) => vm.status === 'up' && writing.has(vm.id))
  await Promise.all(running.map((vm) => lab.control('POST', `/vms/${encodeURIComponent(vm.name)}/pause`, {})))
  try {
    const stopped = await stoodStill(lab)
    await using mounted = await lab.mountSite('primary')
    const flaws = await Promise.all(running.map((vm) => flawsOf(lab, vm, mounted.dirs, stopped.get(vm.id))))
    return flaws.flat()
  } finally {
    await Promise.all(
      running.map((vm) => lab.control('POST', `/vms/${encodeURIComponent(vm.name)}/resume`, {})),
    )
  }
}

/** The writers, once none of them goes on. */
async function stoodStill(lab: LabClient): Promise<Map<string, LabWriter>> {
  for (let before = await lab.writers(); ; ) {
    await pause(lookMs)
    const now = await lab.writers()
    if ([...now].every(([vm, { acked }]) => before.get(vm)?.acked === acked)) return now
    before = now
  }
}

async function flawsOf(
  lab: LabClient,
  vm: LabVm,
  dirs: Dirs,
  writer: LabWriter | undefined,
): Promise<string[]> {
  if (writer?.failure !== undefined) return [`the guest of ${vm.name} met an error: ${writer.failure}`]
  const disks = lab.imagesOf(vm, dirs, (disk) => disk.chain.at(-1)?.volume)
  const n = writer?.acked ?? 0
  for (const end = Date.now() + settleMs; ; await pause(lookMs)) {
    const verdict = (await lab.prove('gp1', [{ vm: vm.id, disks, min: n, max: n }])).get(vm.id)
    if (verdict?.verdict === 'exactly') return []
    if (Date.now() < end) continue
    return [
      `the guest of ${vm.name} got ${n} writes acknowledged, and its disks are ${verdict === undefined ? 'gone' : describeVerdict(verdict)}`,
    ]
  }
}
