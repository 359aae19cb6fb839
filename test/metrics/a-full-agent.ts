import { createMetrics, type Metrics } from '../../src/metrics/metrics.ts'
import type { RunEvent } from '../../src/run/event.ts'
import { aJob, anAgent, anRpo, aProgress, aReport, aSummary } from './an-agent.ts'

const asked = (act: 'snapshot' | 'merge') => ({ act, times: 2, ms: 5000 })
const web = { id: 'id-of-web', name: 'web' }

const aRunOfAllSorts: RunEvent[] = [
  { kind: 'step ended', step: 'snapshot', ms: 4000 },
  { kind: 'step ended', step: 'replicate', ms: 9000, error: 'the line is cut' },
  { kind: 'vm', vm: web, did: 'snapshot taken', done: 1, of: 1, asked: asked('snapshot') },
  { kind: 'note', severity: 'info', text: 'no progress for 60 s', again: 'replication' },
  { kind: 'vm', vm: web, did: 'merged', done: 1, of: 1, asked: asked('merge') },
  {
    kind: 'run ended',
    report: aReport({ comparison: { mode: 'quick', bytesRead: 1_048_576, healed: 1 } }),
  },
]

/** The metrics of an agent of which everything is known, at this moment: its last run failed, and it has trouble since 20 minutes. */
export function fullMetrics(now: number = Date.now()): { metrics: Metrics; tell(): void } {
  const ago = (minutes: number): string => new Date(now - minutes * 60_000).toISOString()
  const nightly = aJob('nightly', {
    state: 'running',
    rpoMs: 3_600_000,
    expectedMs: 600_000,
    nextStart: ago(-30),
    lastRun: aSummary('failed', { startedAt: ago(70), finishedAt: ago(60) }),
    lastSuccess: ago(300),
    provedAsOf: ago(310),
    vms: { protected: 1, failed: 1, leftOut: 1 },
  })
  const vms = [
    anRpo('web', { provedAsOf: ago(310), rpoMs: 3_600_000, rpo: 'breach' }),
    anRpo('db', { provedAsOf: ago(50), rpoMs: 3_600_000, rpo: 'warning' }),
  ]
  const status = {
    now: ago(0),
    troubles: [{ matter: 'engine', since: ago(20), what: 'it is away' }],
    running: [aProgress('nightly', ago(5))],
    outbox: { waiting: 2, failing: 1 },
    owed: 1,
  }
  const { view, tell } = anAgent({ jobs: [nightly], vms, status })
  return { metrics: createMetrics(view), tell: () => tell(...aRunOfAllSorts) }
}
