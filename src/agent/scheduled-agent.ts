import type { JobConfig } from '../config/keys.ts'
import { Cancelled, Failure } from '../model/errors.ts'
import { nameOfPair } from '../model/pair.ts'
import type { Agent, AgentEvent } from './agent.ts'
import { Desk } from './desk.ts'
import { everySoOften } from './every-so-often.ts'
import { JobMemory, JobRecord } from './job-record.ts'
import { jobView } from './job-view.ts'
import { owedBeside } from './owed.ts'
import type { AgentPorts } from './ports.ts'
import { statusView } from './status-view.ts'
import { tellInterrupted } from './tellings.ts'
import { Troubles } from './troubles.ts'
import type { JobView, StatusView, VmView } from './view.ts'
import { Watch } from './watch.ts'

export interface AgentOptions {
  jobs: readonly JobConfig[]
  version: string
  runsAtOnce: number
  inventoryMs: number
  /** How much of its RPO a VM may have left before it is warned of, in percent. */
  warnPercent: number
  pingMs: number
  /** The loop goes round so often even when nothing is due: clocks are set, and machines sleep. */
  napMs: number
}

const pingPatienceMs = 30 * 60_000
/** A run from the command line may go on for so long. */
const owedPatienceMs = 2 * 3_600_000
const rememberedRuns = 100

/** The agent with its loop. */
export interface ScheduledAgent extends Agent {
  /** Works until the signal ends it, and then until its runs have settled. */
  work(): Promise<void>
  /** When the loop last went round, in epoch milliseconds. */
  turnedAt(): number
}

/**
 * Starts the jobs' runs when they are due, watches every VM's RPO, and tells. What fails in a run, in the engine or on the disk is a
 * trouble that is told, and never the end. `signal` ends its runs, too.
 */
export function createAgent(options: AgentOptions, ports: AgentPorts, signal: AbortSignal): ScheduledAgent {
  const { clock, book, history } = ports
  const startedAt = clock.now()
  const listeners = new Set<(event: AgentEvent) => void>()
  let wake = (): void => undefined
  let turnedAt = startedAt
  const announce = (event: AgentEvent): void => {
    for (const listener of listeners) {
      try {
        listener(event)
      } catch (error) {
        troubles.met('listeners', error, 0)
      }
    }
    if (event.kind === 'changed') wake()
  }
  const troubles = new Troubles(clock, (alert) => ports.tell(alert))
  const records = options.jobs.map((job) => {
    const memory = book.get(`job ${job.name}`, JobMemory) ?? { paused: false, after: startedAt, failures: 0 }
    return new JobRecord(job, memory)
  })
  const watch = new Watch(records, ports, troubles, options.warnPercent)
  const desk = new Desk(records, { ports, watch, troubles }, options.runsAtOnce, announce, signal)

  const regularly = (everyMs: number, act: () => Promise<void>) =>
    everySoOften(everyMs, act, {
      failed: (error) => troubles.met('agent', error, 0),
      done: () => announce({ kind: 'changed' }),
    })
  const lookAtEngine = regularly(options.inventoryMs, async () => {
    if (await watch.lookAtEngine(signal)) desk.forgive()
  })
  const ping = regularly(options.pingMs, async () => {
    try {
      await ports.ping?.(signal)
      troubles.cleared('ping')
    } catch (error) {
      if (!signal.aborted) troubles.met('ping', error, pingPatienceMs)
    }
  })

  const rememberJobs = (): void =>
    troubles.guard('state', () =>
      book.set(new Map(records.map(({ job, memory }) => [`job ${job.name}`, memory]))),
    )
  const tellWhatWasInterrupted = (): void => {
    for (const record of records) {
      const since = record.memory.runningSince
      if (since === undefined) continue
      troubles.guard('alerts', () => ports.tell(tellInterrupted(record.job, since, clock.now())))
      record.rest()
      // It is made up for like one that was missed.
      const told = { digest: 'interrupted', at: clock.now(), severity: 'alert' as const }
      record.memory = { ...record.memory, told }
      record.wanted = record.job.catchUp && record.schedule !== undefined && !record.memory.paused
    }
  }
  let isRead = false
  /** After a run that died while it wrote, the history can be read only once what it owes has been settled. */
  const readHistory = (now: number): void =>
    troubles.guard('history', () => {
      if (!isRead) {
        for (const record of records)
          record.recall(history.runs({ job: record.job.name, limit: rememberedRuns }))
      }
      const busy = new Set(records.flatMap((record) => (record.state === 'running' ? record.pairs : [])))
      for (const { job } of records)
        watch.readPoints(
          job.pairs.filter((pair) => !busy.has(nameOfPair(pair))),
          now,
        )
      isRead = true
    })
  const turn = (): void => {
    const now = clock.now()
    lookAtEngine(now)
    readHistory(now)
    // Without it nothing is known of any job or VM, and nothing may be claimed.
    if (isRead) {
      desk.turn(now)
      watch.judge(now)
    } else desk.settle(now)
    tellOwedElsewhere()
    if (ports.ping !== undefined) ping(now)
    turnedAt = now
  }
  /** By pairs that no job has (any more): nobody here settles them. */
  const tellOwedElsewhere = (): void => {
    const count = readOr(0, () =>
      owedBeside(
        history,
        options.jobs.flatMap(({ pairs }) => pairs),
      ),
    )
    const hint = 'settle it: vmbackup recover; vmbackup recover --dry-run lists it'
    const failure = new Failure(`${count} things are owed for volumes of no job`, { hint })
    if (count === 0) troubles.cleared('owed by no job')
    else troubles.met('owed by no job', failure, owedPatienceMs)
  }
  const nap = async (): Promise<void> => {
    const now = clock.now()
    const awake = new AbortController()
    wake = () => awake.abort()
    const due = Math.min(desk.nextAt(now), watch.nextAt(now)) - now
    const ms = Math.min(options.napMs, Math.max(due, 1_000))
    await clock.sleep(ms, AbortSignal.any([signal, awake.signal])).catch(() => undefined)
  }
  const goRound = async (): Promise<void> => {
    try {
      turn()
      troubles.cleared('agent')
      await nap()
    } catch (error) {
      troubles.met('agent', error, 0)
      await clock.sleep(options.napMs, signal).catch(() => undefined)
    }
  }
  /** While the last runs settle, somebody still watches. */
  const seeOut = async (): Promise<void> => {
    const over = new AbortController()
    const idle = desk.idle().then(() => over.abort())
    while (!over.signal.aborted) {
      const now = clock.now()
      turnedAt = now
      if (ports.ping !== undefined) ping(now)
      troubles.guard('agent', () => watch.judge(now))
      await clock.sleep(options.napMs, over.signal).catch(() => undefined)
    }
    await idle
  }

  const views = (): { jobs: JobView[]; vms: VmView[] } => {
    const now = clock.now()
    const views = watch.views(now)
    const vms = views.map(({ vm }) => vm)
    const jobs = records.map((record) =>
      jobView(
        record,
        views.flatMap((one) => (one.jobs.includes(record.job.name) ? [one.vm] : [])),
        record.state === 'running' ? undefined : record.next(now, watch.tightest(record.job.name)),
      ),
    )
    return { jobs, vms }
  }
  const readOr = <T>(otherwise: T, read: () => T): T => {
    try {
      return read()
    } catch (error) {
      troubles.met('history', error, 0)
      return otherwise
    }
  }
  const status = (): StatusView => {
    return statusView({
      ...views(),
      version: options.version,
      startedAt,
      now: clock.now(),
      troubles: [...troubles.list(), ...ports.otherTroubles()],
      running: records.flatMap(({ state, progress }) => (state === 'running' ? [...progress.values()] : [])),
      lastRuns: readOr([], () => history.runs({ limit: 10 })),
      outbox: ports.outbox(),
      // What runs that are going on owe is their own affair.
      owed: readOr(0, () =>
        owedBeside(
          history,
          records.flatMap(({ isBusy, job }) => (isBusy ? job.pairs : [])),
        ),
      ),
    })
  }

  return {
    async work() {
      tellWhatWasInterrupted()
      // Also of a job that is new: from now on its starts can be missed.
      rememberJobs()
      while (!signal.aborted) await goRound()
      await seeOut()
    },
    turnedAt: () => turnedAt,
    status,
    jobs: () => views().jobs,
    vms: () => views().vms,
    runs: (query) => history.runs(query),
    report: (run) => history.report(run),
    points: () => history.points(rememberedRuns),
    watch(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    start: (job) => desk.start(job),
    cancel: (job) => desk.cancel(job, new Cancelled('cancelled by an operator')),
    pause(job) {
      desk.pause(job, true)
      announce({ kind: 'changed' })
    },
    resume(job) {
      desk.pause(job, false)
      announce({ kind: 'changed' })
    },
    async protect(vms, policy, asked) {
      return viewsOf(await ports.protect(vms, policy, asked), asked)
    },
    async unprotect(vms, asked) {
      return viewsOf(await ports.unprotect(vms, asked), asked)
    },
  }

  async function viewsOf(
    vms: readonly { id: string; name: string }[],
    asked: AbortSignal,
  ): Promise<VmView[]> {
    await watch.lookAtEngine(asked)
    announce({ kind: 'changed' })
    const views = new Map(watch.views(clock.now()).map(({ vm }) => [vm.id, vm]))
    const why = 'it has no disk on a volume of any job, or the engine was not asked yet'
    return vms.map(({ id, name }) => views.get(id) ?? { id, name, state: 'not selected', rpo: 'none', why })
  }
}
