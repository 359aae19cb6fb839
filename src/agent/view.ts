import { z } from 'zod'

// What the agent tells of itself: the API's answers, the command line's tables and the metrics are made from these. All are plain JSON.

const time = z.iso.datetime().describe('ISO 8601, UTC')
const count = z.int().min(0)
const ms = z.number().min(0).describe('milliseconds')

/** How a VM stands against its RPO. `none`: it has none. */
export const RpoState = z.enum(['ok', 'warning', 'breach', 'none'])

export const PairView = z
  .object({ primary: z.string(), secondary: z.object({ host: z.string(), volume: z.string() }) })
  .meta({ id: 'Pair', description: 'A volume and its copy.' })

export const RunSummary = z
  .object({
    run: z.string(),
    job: z.string().optional().describe('absent for a run from the classic command line'),
    pair: PairView,
    outcome: z.string(),
    startedAt: time,
    finishedAt: time,
    vms: z.object({ protected: count, failed: count, leftOut: count }),
    why: z.string().optional().describe('what stopped it'),
  })
  .meta({ id: 'RunSummary', description: 'A run that has ended.' })

export const RunProgress = z
  .object({
    job: z.string(),
    run: z.string().optional().describe('absent until it has begun'),
    pair: PairView,
    startedAt: time,
    step: z.string().optional(),
    stepStartedAt: time.optional(),
    waiting: z.string().optional().describe('what it waits for at this moment'),
    done: count.optional().describe('VMs that are through this step'),
    of: count.optional(),
    leftMs: ms.optional().describe('how long what it waits for will still take, as far as can be told'),
  })
  .meta({ id: 'RunProgress', description: 'A run that is going on.' })

export const JobView = z
  .object({
    name: z.string(),
    pairs: z.array(PairView),
    schedule: z.string().describe('for people'),
    rpoMs: ms.optional(),
    state: z
      .enum(['waiting', 'queued', 'running', 'settling', 'paused', 'by hand'])
      .describe('settling: what an earlier run has left is put right'),
    nextStart: time.optional(),
    lastRun: RunSummary.optional(),
    lastSuccess: time.optional().describe('end of the last run that protected all of its VMs'),
    provedAsOf: time.optional().describe("instant of the oldest among its VMs' newest proved points"),
    expectedMs: ms.optional().describe('how long a run takes, by the last ones'),
    vms: z.object({ protected: count, failed: count, leftOut: count }).describe('by its newest runs'),
  })
  .meta({ id: 'Job', description: 'A job and how it stands.' })

export const VmView = z
  .object({
    id: z.string(),
    name: z.string(),
    job: z.string().optional().describe('absent when no job selects it'),
    policy: z.string().optional(),
    state: z
      .enum(['protected', 'failed', 'left out', 'waiting', 'not selected'])
      .describe('by the newest run; waiting: selected, and no run has come to it yet'),
    provedAsOf: time.optional().describe('instant of its newest proved recovery point that still exists'),
    rpoMs: ms.optional(),
    rpo: RpoState,
    breachAt: time.optional().describe('when its RPO breaks, unless a run proves a newer point before'),
    forecast: z
      .enum(['in time', 'late'])
      .optional()
      .describe('whether the next run is expected to end before'),
    nextStart: time.optional(),
    why: z.string().optional().describe('why it is not protected'),
  })
  .meta({ id: 'Vm', description: 'A VM, how it is to be protected, and how it is.' })

export const PointView = z
  .object({
    run: z.string(),
    job: z.string().optional(),
    pair: PairView,
    state: z.enum(['ready', 'overwritten', 'unfinished']),
    asOf: time.optional().describe('the earliest instant among its VMs'),
    madeAt: time,
    vms: z.object({ protected: count, failed: count, leftOut: count }),
    manifest: z.string().optional(),
  })
  .meta({ id: 'Point', description: 'A recovery point, by what its run has reported.' })

export const TroubleView = z
  .object({
    since: time,
    matter: z.string().describe('what it is about: engine, state, mail ops, ...'),
    what: z.string(),
  })
  .meta({ id: 'Trouble', description: 'Something that keeps the agent from its work; it goes on trying.' })

export const StatusView = z
  .object({
    version: z.string(),
    startedAt: time,
    now: time,
    troubles: z.array(TroubleView),
    jobs: z.array(JobView),
    running: z.array(RunProgress),
    vms: z.object({ ok: count, warning: count, breach: count, none: count }).describe('by RPO'),
    behind: z.array(VmView).describe('VMs in warning or breach, the worst first; at most 50'),
    lastRuns: z.array(RunSummary).describe('the newest ten'),
    outbox: z.object({ waiting: count, failing: count }).describe('messages that are not sent yet'),
    owed: count.describe('obligations that runs could not settle'),
  })
  .meta({ id: 'Status', description: 'All that one look should show.' })

export type PairView = z.infer<typeof PairView>
export type RunSummary = z.infer<typeof RunSummary>
export type RunProgress = z.infer<typeof RunProgress>
export type JobView = z.infer<typeof JobView>
export type VmView = z.infer<typeof VmView>
export type PointView = z.infer<typeof PointView>
export type TroubleView = z.infer<typeof TroubleView>
export type StatusView = z.infer<typeof StatusView>
