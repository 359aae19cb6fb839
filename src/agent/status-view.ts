import { isoTime } from './progress.ts'
import type { JobView, RunProgress, RunSummary, StatusView, VmView } from './view.ts'

const mostBehind = 50

/** All that one look should show. Times in epoch milliseconds. */
export function statusView(facts: {
  version: string
  startedAt: number
  now: number
  troubles: readonly { matter: string; since: number; what: string }[]
  jobs: JobView[]
  vms: readonly VmView[]
  running: RunProgress[]
  lastRuns: RunSummary[]
  outbox: StatusView['outbox']
  owed: number
}): StatusView {
  const { version, startedAt, now, troubles, jobs, vms, running, lastRuns, outbox, owed } = facts
  const many = (rpo: VmView['rpo']): number => vms.filter((vm) => vm.rpo === rpo).length
  return {
    version,
    startedAt: isoTime(startedAt),
    now: isoTime(now),
    troubles: troubles.map(({ matter, since, what }) => ({ matter, since: isoTime(since), what })),
    jobs,
    running,
    vms: { ok: many('ok'), warning: many('warning'), breach: many('breach'), none: many('none') },
    behind: vms
      .filter(({ rpo }) => rpo === 'breach' || rpo === 'warning')
      .toSorted((a, b) => (a.breachAt ?? '').localeCompare(b.breachAt ?? ''))
      .slice(0, mostBehind),
    lastRuns,
    outbox,
    owed,
  }
}
