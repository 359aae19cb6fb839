import type { JobView, PairView, RunSummary, StatusView, VmView } from '../../src/agent/view.ts'
import type { Look } from '../../src/cli/look.ts'
import { paintFor } from '../../src/cli/paint.ts'

const now = Date.parse('2026-11-24T14:03:22.000Z')

/** Off a terminal, in UTC. */
export const look: Look = { now, paint: paintFor({}, {}), timeZone: 'UTC' }

export const pair: PairView = { primary: 'data', secondary: { host: 'gs1', volume: 'data-dr' } }

/** So many minutes before now. */
export function ago(minutes: number): string {
  return new Date(now - minutes * 60_000).toISOString()
}

export function aRun(more: Partial<RunSummary> = {}): RunSummary {
  return {
    run: '20261124T130000Z-0a1b2c3d',
    job: 'nightly',
    pair,
    outcome: 'protected',
    startedAt: ago(63),
    finishedAt: ago(51),
    vms: { protected: 12, failed: 0, leftOut: 1 },
    ...more,
  }
}

export function aJob(more: Partial<JobView> = {}): JobView {
  return {
    name: 'nightly',
    pairs: [pair],
    schedule: 'every 4 h',
    rpoMs: 4 * 3_600_000,
    state: 'waiting',
    nextStart: ago(-60),
    lastRun: aRun(),
    provedAsOf: ago(62),
    expectedMs: 12 * 60_000,
    vms: { protected: 12, failed: 0, leftOut: 1 },
    ...more,
  }
}

export function aVmView(name: string, more: Partial<VmView> = {}): VmView {
  return {
    id: `id-${name}`,
    name,
    job: 'nightly',
    policy: 'gold',
    state: 'protected',
    provedAsOf: ago(62),
    rpoMs: 4 * 3_600_000,
    rpo: 'ok',
    breachAt: ago(-178),
    forecast: 'in time',
    nextStart: ago(-60),
    ...more,
  }
}

export function aStatus(more: Partial<StatusView> = {}): StatusView {
  return {
    version: '0.1.0',
    startedAt: ago(60 * 30),
    now: ago(0),
    troubles: [],
    jobs: [aJob()],
    running: [],
    vms: { ok: 12, warning: 0, breach: 0, none: 1 },
    behind: [],
    lastRuns: [aRun()],
    outbox: { waiting: 0, failing: 0 },
    owed: 0,
    ...more,
  }
}
