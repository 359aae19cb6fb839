import type { StatusView } from '../../src/agent/view.ts'

/** No job, no VM, no trouble. */
export const quietStatus: StatusView = {
  version: '1.0.0',
  startedAt: '2026-11-01T00:00:00Z',
  now: '2026-11-21T12:00:00Z',
  troubles: [],
  jobs: [],
  running: [],
  vms: { ok: 0, warning: 0, breach: 0, none: 0 },
  behind: [],
  lastRuns: [],
  outbox: { waiting: 0, failing: 0 },
  owed: 0,
}
