import type { Agent, AgentEvent } from '../../src/agent/agent.ts'
import type { JobView, PairView, PointView, RunSummary, StatusView, VmView } from '../../src/agent/view.ts'
import { Refused, Unknown } from '../../src/model/errors.ts'
import { shown } from '../../src/model/shown.ts'
import type { Report } from '../../src/run/report.ts'

const at = '2026-11-21T12:00:00.000Z'
const pair: PairView = { primary: 'data', secondary: { host: 'dr1.example.com', volume: 'copy' } }
const none = { protected: 0, failed: 0, leftOut: 0 }

/** An agent in memory: what it is told shows in what it tells, and nothing runs. */
export interface FakeAgent extends Agent {
  readonly jobNames: string[]
  /** Tells all who watch. */
  tell(event: AgentEvent): void
  /** How many watch. */
  readonly watchers: number
  addVm(vm: Partial<VmView> & { name: string }): VmView
  addReport(report: Report): void
}

/** An agent with the jobs `nightly` and `hourly`, the VMs `web01` and `db01`, the policies `gold` and `silver`, and one run. */
export function fakeAgent(): FakeAgent {
  const jobs = new Map<string, JobView>()
  const vms = new Map<string, VmView>()
  const reports = new Map<string, Report>()
  const listeners = new Set<(event: AgentEvent) => void>()
  const jobOf = (name: string): JobView => {
    const job = jobs.get(name)
    if (job === undefined)
      throw new Unknown(`there is no job ${shown(name)}`, { hint: 'vmbackup status lists them' })
    return job
  }
  const vmOf = (name: string): VmView => {
    const vm = vms.get(name) ?? [...vms.values()].find((one) => one.name === name)
    if (vm === undefined) throw new Unknown(`there is no VM ${shown(name)}`)
    return vm
  }
  const tell = (event: AgentEvent) => {
    for (const listener of listeners) listener(event)
  }
  const become = (name: string, state: JobView['state']) => {
    jobs.set(name, { ...jobOf(name), state })
    tell({ kind: 'changed' })
  }
  const change = (names: readonly string[], to: Partial<VmView>): VmView[] => {
    const changed = names.map(vmOf).map((vm) => ({ ...vm, ...to }))
    for (const vm of changed) vms.set(vm.id, vm)
    return changed
  }
  for (const name of ['nightly', 'hourly'])
    jobs.set(name, { name, pairs: [pair], schedule: 'every 4 h', state: 'waiting', vms: none, nextStart: at })

  const runs = (): RunSummary[] =>
    [...reports.values()].map(({ run, job, outcome, startedAt, finishedAt, vms: all }) => ({
      ...{ run, outcome, startedAt, finishedAt, pair, ...(job === undefined ? {} : { job }) },
      vms: { ...none, protected: all.length },
    }))
  const agent: FakeAgent = {
    jobNames: [...jobs.keys()],
    tell,
    get watchers() {
      return listeners.size
    },
    addVm: (vm) => {
      const id = `00000000-0000-4000-8000-${String(vms.size).padStart(12, '0')}`
      const added: VmView = { id, state: 'protected', rpo: 'ok', job: 'nightly', provedAsOf: at, ...vm }
      vms.set(added.id, added)
      return added
    },
    addReport: (report) => reports.set(report.run, report),
    status: (): StatusView => ({
      ...{ version: '0.1.0', startedAt: at, now: at, troubles: [], running: [], behind: [], owed: 0 },
      ...{ jobs: [...jobs.values()], lastRuns: runs().slice(0, 10), outbox: { waiting: 0, failing: 0 } },
      vms: { ok: vms.size, warning: 0, breach: 0, none: 0 },
    }),
    jobs: () => [...jobs.values()],
    vms: () => [...vms.values()].sort((one, other) => one.name.localeCompare(other.name)),
    runs: ({ job, limit }) =>
      runs()
        .filter((run) => job === undefined || run.job === job)
        .slice(0, limit),
    report: (run) => reports.get(run),
    points: (): PointView[] =>
      runs().map(({ run, vms: counts }) => ({
        run,
        pair,
        state: 'ready',
        asOf: at,
        madeAt: at,
        vms: counts,
      })),
    watch: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    start: (name) => {
      if (jobOf(name).state === 'running') return 'running'
      become(name, 'running')
      return 'started'
    },
    cancel: (name) => become(name, 'waiting'),
    pause: (name) => become(name, 'paused'),
    resume: (name) => become(name, 'waiting'),
    protect: async (names, policy, signal) => {
      signal.throwIfAborted()
      if (policy === undefined) throw new Refused('there are 2 policies', { hint: 'name one: gold, silver' })
      if (policy !== 'gold' && policy !== 'silver') throw new Unknown(`there is no policy ${shown(policy)}`)
      return change(names, { policy, state: 'waiting' })
    },
    unprotect: async (names, signal) => {
      signal.throwIfAborted()
      return change(names, { state: 'not selected', rpo: 'none' })
    },
  }
  agent.addVm({ name: 'web01' })
  agent.addVm({ name: 'db01', job: 'hourly', rpo: 'breach' })
  agent.addReport(aReport('20261121T120000Z-0a1b2c3d'))
  return agent
}

/** A report of a good run of the job `nightly`. */
export function aReport(run: string): Report {
  const { primary, secondary } = pair
  const vm = { id: '00000000-0000-4000-8000-000000000000', name: 'web01', disks: [] }
  return {
    ...{
      version: 1,
      run,
      job: 'nightly',
      outcome: 'protected',
      startedAt: at,
      finishedAt: at,
      primary,
      secondary,
    },
    steps: [{ name: 'preflight', ms: 1200 }],
    vms: [
      {
        ...vm,
        state: 'protected',
        consistency: 'frozen',
        asOf: { earliest: at, latest: at },
        content: 'samples',
      },
    ],
    comparison: { mode: 'quick', bytesRead: 4096, healed: 0 },
    overwrote: true,
    manifest: `vmbackup/points/${run}.json`,
    warnings: [],
    leftOpen: [],
  }
}
