import { known } from '../model/known.ts'
import type { JobRecord } from './job-record.ts'
import { pairView } from './pair-view.ts'
import { isoTime } from './progress.ts'
import type { JobView, VmView } from './view.ts'

/** How a job stands, by its record and its VMs. */
export function jobView(
  record: JobRecord,
  vms: readonly VmView[],
  next: { at: number } | undefined,
): JobView {
  const { job, schedule, last, lastSuccess, expectedMs } = record
  const many = (...states: VmView['state'][]): number => vms.filter((vm) => states.includes(vm.state)).length
  return known({
    name: job.name,
    pairs: job.pairs.map(pairView),
    schedule: schedule?.words ?? 'by hand',
    rpoMs: job.rpoMs,
    state: stateOf(record),
    nextStart: next === undefined ? undefined : isoTime(next.at),
    lastRun: last,
    lastSuccess,
    provedAsOf: vms.flatMap(({ provedAsOf }) => provedAsOf ?? []).toSorted()[0],
    expectedMs,
    vms: { protected: many('protected'), failed: many('failed'), leftOut: many('left out') },
  })
}

function stateOf({ state, memory, schedule }: JobRecord): JobView['state'] {
  if (state !== 'waiting') return state
  if (memory.paused) return 'paused'
  return schedule === undefined ? 'by hand' : 'waiting'
}
