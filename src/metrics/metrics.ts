import { collectDefaultMetrics, Gauge, Registry } from 'prom-client'
import type { AgentView } from '../agent/agent.ts'
import { type Clock, systemClock } from '../run/clock.ts'
import { DueStarts } from './due-starts.ts'
import { gauges, type Seen } from './gauges.ts'
import { RunMetrics } from './run-metrics.ts'
import { defaultLimits, shownVms, type VmLimits } from './vm-series.ts'

/** What Prometheus scrapes. */
export interface Metrics {
  /** All metrics as they are now, in Prometheus' text format. Throws what the agent throws when it is asked. */
  text(): Promise<{ contentType: string; text: string }>
}

/** Gauges under names that Prometheus keeps for counters; the same numbers are there by type. */
const misnamed = [
  'nodejs_active_handles_total',
  'nodejs_active_requests_total',
  'nodejs_active_resources_total',
]

/**
 * The metrics of an agent and its process. Gauges are read when they are asked for; what runs do is counted from now on for as
 * long as the process lives.
 */
export function createMetrics(
  agent: AgentView,
  { vmLimits = defaultLimits, clock = systemClock }: { vmLimits?: VmLimits; clock?: Pick<Clock, 'now'> } = {},
): Metrics {
  const registry = new Registry()
  const runs = new RunMetrics(registry)
  const dueStarts = new DueStarts()
  const kinds = gauges.map(({ name, help, labels, samples }) => ({
    gauge: new Gauge({ name, help, labelNames: [...labels], registers: [registry] }),
    samples,
  }))
  collectDefaultMetrics({ register: registry })
  for (const name of misnamed) registry.removeSingleMetric(name)

  agent.watch((event) => {
    if (event.kind === 'run') runs.see(event.job, event.pair, event.event, clock.now())
  })

  const look = (): Seen => {
    const [status, vms] = [agent.status(), agent.vms()]
    const { jobs } = status
    for (const { name } of jobs) runs.knowJob(name)
    runs.overlays.keepOnly(new Set(vms.map(({ id }) => id)))
    const shown = shownVms(vms, vmLimits)
    const due = dueStarts.look(jobs, Date.parse(status.now))
    return { status, jobs, vms, shown, due, lastOverlay: (id) => runs.overlays.last(id) }
  }

  return {
    async text() {
      const seen = look()
      // Without a pause in between: another scrape must not find the gauges half filled.
      for (const { gauge, samples } of kinds) {
        gauge.reset()
        for (const [value, labels = {}] of samples(seen)) if (value !== undefined) gauge.set(labels, value)
      }
      return { contentType: registry.contentType, text: await registry.metrics() }
    },
  }
}
