import { z } from 'zod'
import type { AgentEvent } from '../agent/agent.ts'
import { RpoState, VmView } from '../agent/view.ts'
import type { Report } from '../run/report.ts'

// What goes through the API beside the views of the agent. Server, document and client read the same shapes.

/** Every answer that is none. */
export const ErrorView = z
  .object({
    error: z.object({
      message: z.string().describe('what was being done to which thing, and why it was not'),
      hint: z.string().optional().describe('what to do now'),
    }),
  })
  .meta({ id: 'Error', description: 'What went wrong.' })

export const HealthView = z
  .object({ status: z.literal('ok') })
  .meta({ id: 'Health', description: 'The agent is at work.' })

export const RootView = z
  .object({ name: z.literal('vmbackup'), api: z.string(), document: z.string() })
  .meta({ id: 'Root', description: 'Where the API is, and where its document.' })

export const StartView = z
  .object({ job: z.string(), state: z.enum(['started', 'queued', 'running']) })
  .meta({ id: 'Start', description: 'What became of the order to start a run.' })

const count = z.int().min(0)
const loose = z.looseObject({})

/** As far as whoever passes it on has to know it; `report.schema.json` has all of it, and stands in the API's document. */
export const ReportView = z
  .looseObject({
    version: z.literal(1),
    run: z.string(),
    job: z.string().optional(),
    outcome: z.string(),
    startedAt: z.string(),
    finishedAt: z.string(),
    primary: z.string(),
    secondary: z.looseObject({ host: z.string(), volume: z.string() }),
    steps: z.array(z.looseObject({ name: z.string(), ms: z.int() })),
    vms: z.array(
      z.looseObject({ id: z.string(), name: z.string(), state: z.string(), disks: z.array(loose) }),
    ),
    comparison: z.looseObject({ mode: z.string(), bytesRead: count, healed: count }).optional(),
    overwrote: z.boolean(),
    warnings: z.array(z.string()),
    leftOpen: z.array(z.looseObject({ what: z.string(), why: z.string() })),
  })
  .meta({ id: 'Report', description: 'What became of a run.' })

/** What stands in the data of a server-sent event. */
export const EventView = z
  .discriminatedUnion('kind', [
    z.object({
      kind: z.literal('run'),
      job: z.string(),
      pair: z.string().describe('volume--host--volume'),
      event: z.looseObject({ kind: z.string() }).describe('what the run tells'),
    }),
    z.object({ kind: z.literal('changed') }).describe('ask again'),
  ])
  .meta({ id: 'Event', description: 'The data of one server-sent event; its name is the kind.' })

/** A report of our own agent, of which the outline was checked. */
export function reportIn(answer: unknown): Report {
  return ReportView.parse(answer) as unknown as Report
}

/** An event of our own agent; undefined for one that only a newer agent knows. */
export function eventIn(data: unknown): AgentEvent | undefined {
  const { success, data: event } = EventView.safeParse(data)
  return success ? (event as unknown as AgentEvent) : undefined
}

const name = z.string().min(1).max(255)

export const JobParams = z.strictObject({ job: name.describe('name of a job') })
export const VmParams = z.strictObject({ vm: name.describe('name or id of a VM') })
export const RunParams = z.strictObject({
  run: z.string().regex(/^[0-9]{8}T[0-9]{6}Z-[0-9a-f]{8}$/, 'is no id of a run'),
})

export const JobQuery = z.strictObject({ job: name.optional().describe('of this job only') })
export const VmsQuery = JobQuery.extend({
  rpo: RpoState.optional(),
  name: name.optional().describe('a part of the name, in any case'),
})
/** Longest list of runs that is given at once. */
export const mostRuns = 1000
export const RunsQuery = JobQuery.extend({
  limit: z.coerce.number().int().min(1).max(mostRuns).default(100).describe('the newest so many'),
})

const policy = name.optional().describe('absent = the only policy that there is')
export const Protection = z.strictObject({ policy })
const vms = z.array(name).min(1).max(1000).describe('names or ids')
export const ProtectMany = z.strictObject({ vms, policy })
export const UnprotectMany = z.strictObject({ vms })

export const VmList = z.array(VmView)
