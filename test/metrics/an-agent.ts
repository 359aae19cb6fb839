import type { AgentEvent, AgentView } from '../../src/agent/agent.ts'
import type { JobView, RunProgress, RunSummary, StatusView, VmView } from '../../src/agent/view.ts'
import type { RunEvent } from '../../src/run/event.ts'
import type { Report } from '../../src/run/report.ts'
import { quietStatus } from '../support/quiet-status.ts'

const pair = { primary: 'data', secondary: { host: 'gs1', volume: 'data-dr' } }
const pairName = 'data--gs1--data-dr'
const noVms = { protected: 0, failed: 0, leftOut: 0 }

/** The moment of the tests, in epoch seconds and as text. */
export const noon = Date.parse('2026-11-21T12:00:00Z') / 1000
/** Minutes from noon. */
export const minute = (from: number): string => new Date((noon + from * 60) * 1000).toISOString()

export function aJob(name: string, change: Partial<JobView> = {}): JobView {
  return { name, pairs: [pair], schedule: 'every 4 h', state: 'waiting', vms: noVms, ...change }
}

export function anRpo(name: string, change: Partial<VmView> = {}): VmView {
  return { id: `id-of-${name}`, name, job: 'nightly', state: 'protected', rpo: 'ok', ...change }
}

export function aSummary(outcome: string, change: Partial<RunSummary> = {}): RunSummary {
  const times = { startedAt: minute(-60), finishedAt: minute(-50) }
  return { run: '20261121T110000Z-00000000', pair, outcome, ...times, vms: noVms, ...change }
}

export function aProgress(job: string, startedAt: string): RunProgress {
  return { job, pair, startedAt }
}

export function aReport(change: Partial<Report> = {}): Report {
  return {
    version: 1,
    run: '20261121T110000Z-00000000',
    job: 'nightly',
    outcome: 'protected',
    startedAt: minute(-60),
    finishedAt: minute(-50),
    ...pair,
    steps: [],
    vms: [],
    overwrote: true,
    warnings: [],
    leftOpen: [],
    ...change,
  }
}

/** An agent that is as the test sets it, and tells what the test lets it tell. */
export function anAgent(of: { jobs?: JobView[]; vms?: VmView[]; status?: Partial<StatusView> } = {}) {
  const listeners = new Set<(event: AgentEvent) => void>()
  const world = { jobs: of.jobs ?? [], vms: of.vms ?? [], status: of.status ?? {} }
  const view: AgentView = {
    status: () => ({
      ...quietStatus,
      version: '1.2.3',
      now: minute(0),
      jobs: world.jobs,
      ...world.status,
    }),
    jobs: () => world.jobs,
    vms: () => world.vms,
    runs: () => [],
    report: () => undefined,
    points: () => [],
    watch(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
  }
  return {
    view,
    world,
    tell(...events: RunEvent[]) {
      for (const event of events) {
        for (const hear of listeners) hear({ kind: 'run', job: 'nightly', pair: pairName, event })
      }
    },
  }
}
