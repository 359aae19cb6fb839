import type { EngineEvent } from '../model/hypervisor.ts'
import type { Site } from '../model/site.ts'
import type { Vm } from '../model/vm.ts'
import type { Run } from '../run/run.ts'
import { snapshotDescription, tagPrefix } from './names.ts'
import { type BackupPlan, leadOf, type VmPlan } from './plan.ts'
import type { Verdicts } from './verdicts.ts'

/**
 * Reads the inventory and the events since the plan once more after replication has stopped: a VM that moved under the copy
 * is torn, and is told so; one that only looks like it is told why it is not.
 */
export async function lookAgain(run: Run, site: Site, plan: BackupPlan, verdicts: Verdicts): Promise<void> {
  const [inventory, history] = await Promise.all([
    site.hypervisor.vms(plan.domain, run.signal),
    site.hypervisor.eventsAfter(plan.lastEvent, run.signal),
  ])
  const vms = new Map(inventory.map((vm) => [vm.id, vm]))
  const histories = Map.groupBy(history, ({ vmId }) => vmId)
  const at = new Date(run.clock.now()).toISOString()
  for (const planned of plan.vms) {
    const lead = leadOf(planned, run.id)
    const isOurs = (tag = ''): boolean => tag.startsWith(tagPrefix(run.id)) || tag.startsWith(tagPrefix(lead))
    const events = (histories.get(planned.id) ?? []).filter(({ tag }) => !isOurs(tag))
    const why = whyTorn(planned, vms.get(planned.id), plan.domain.id, snapshotDescription(lead), events)
    if (why !== undefined) verdicts.fail(planned.id, `torn: ${why}`)
    else if (planned.way === 'snapshot') remarkOn(planned, events, verdicts)
    else if (planned.way === 'offline')
      verdicts.frozenAt(planned.id, { consistency: 'offline', asOf: { earliest: at, latest: at } })
  }
  const known = new Set(plan.vms.map((vm) => vm.id))
  for (const vm of vms.values()) {
    if (known.has(vm.id)) continue
    const text = `VM ${vm.name} came to the storage domain during the run: it is not part of this recovery point`
    run.emit({ kind: 'note', severity: 'warning', text })
  }
}

/** Pure: what happened to a planned VM since the plan that spoils its copy. */
export function whyTorn(
  planned: VmPlan,
  vm: Vm | undefined,
  domain: string,
  description: string,
  events: readonly EngineEvent[],
): string | undefined {
  if (planned.way !== 'snapshot' && planned.way !== 'offline') return undefined
  const when = (...meanings: NonNullable<EngineEvent['meaning']>[]): string =>
    timeOf(events.find(({ meaning }) => meaning !== undefined && meanings.includes(meaning)))
  if (vm === undefined) return 'the VM was removed during the run'
  const added = vm.disks.find(
    (disk) => disk.domains.includes(domain) && !planned.disks.some((one) => one.id === disk.id),
  )
  if (added !== undefined) return `disk ${added.name} was added during the run${when('got a disk')}`
  const gone = planned.disks.find(
    ({ id, volume }) =>
      volume !== undefined && !vm.disks.some((disk) => disk.id === id && disk.domains.includes(domain)),
  )
  if (gone !== undefined)
    return `disk ${gone.name} left the VM or the storage domain during the run${when('disk moved')}`
  if (merges(planned, vm))
    return `a snapshot that it had is being merged or was merged during the run${when('snapshot removed')}`
  if (planned.way === 'offline') return offlineTorn(planned, vm, events)
  if (!vm.snapshots.some((snapshot) => snapshot.description === description)) {
    return `its snapshot was removed by somebody else during the run${when('snapshot removed')}`
  }
  const moved = planned.overlays.find(
    ({ image, overlay }) => vm.disks.find((disk) => disk.id === image)?.volume !== overlay,
  )
  if (moved === undefined) return undefined
  return `disk ${moved.image} no longer runs on the overlay of this run${when('snapshot taken', 'restored from a snapshot')}`
}

/** A merge writes into volumes below the top one, which nothing else shows: the disks still run on the same top. */
function merges(planned: VmPlan, vm: Vm): boolean {
  const whole = new Set(vm.snapshots.filter(({ status }) => status === 'ok').map(({ id }) => id))
  return planned.snapshots.some((id) => !whole.has(id))
}

function offlineTorn(planned: VmPlan, vm: Vm, events: readonly EngineEvent[]): string | undefined {
  const started = events.find(({ meaning }) => meaning === 'started')
  if (vm.status !== 'down')
    return `the VM was down and is ${vm.status.replaceAll('_', ' ')}: started during the run${timeOf(started)}`
  if (started !== undefined)
    return `the VM was down, ran for a while and is down again: started${timeOf(started)}`
  const moved = planned.disks.find(
    (disk) => disk.volume !== undefined && vm.disks.find((one) => one.id === disk.id)?.volume !== disk.volume,
  )
  return moved === undefined ? undefined : `disk ${moved.name} got another active volume during the run`
}

/** What looks bad and is not: what is copied lies still under the overlay, and that it does is looked at file by file. */
function remarkOn(planned: VmPlan, events: readonly EngineEvent[], verdicts: Verdicts): void {
  for (const meaning of ['paused on an error', 'stopped', 'started'] as const) {
    const event = events.find((one) => one.meaning === meaning)
    if (event === undefined) continue
    verdicts.remark(planned.id, `${meaning}${timeOf(event)}, which its frozen disks do not show`)
  }
}

function timeOf(event: EngineEvent | undefined): string {
  return event?.at === undefined ? '' : ` at ${new Date(event.at).toISOString().replace(/\.\d+/, '')}`
}
