import type { JobConfig } from '../config/keys.ts'
import { Cancelled } from '../model/errors.ts'
import { nameOfPair } from '../model/pair.ts'
import type { Agent, AgentEvent } from './agent.ts'
import { agentView } from './agent-view.ts'
import { AtWork } from './at-work.ts'
import { Desk } from './desk.ts'
import { everySoOften } from './every-so-often.ts'
import { takeUpInterrupted } from './interrupted.ts'
import { JobMemories } from './job-memory.ts'
import { JobRecord } from './job-record.ts'
import { noteOwedElsewhere } from './owed.ts'
import type { AgentPorts } from './ports.ts'
import { Troubles } from './troubles.ts'
import type { VmView } from './view.ts'
import { volumeMatter, Watch } from './watch.ts'

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
  const watched = new Set(
    options.jobs.flatMap(({ name, pairs }) => [`job ${name}`, ...pairs.map(volumeMatter)]),
  )
  const isLookedAt = (matter: string): boolean =>
    matter === 'engine' || (matter === 'ping' && ports.ping !== undefined) || watched.has(matter)
  const troubles = new Troubles(clock, (alert) => ports.tell(alert), { book, isLookedAt })
  const memories = new JobMemories(book, troubles)
  const records = options.jobs.map((job) => new JobRecord(job, memories.of(job, startedAt)))
  const watch = new Watch(records, ports, troubles, options.warnPercent)
  const ground = { ports, watch, troubles, memories, announce, signal }
  const atWork = new AtWork(ground, options.runsAtOnce)
  const desk = new Desk(records, ground, atWork)

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
    noteOwedElsewhere(history, options.jobs, troubles)
    if (ports.ping !== undefined) ping(now)
    turnedAt = now
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
    const idle = atWork.idle().then(() => over.abort())
    while (!over.signal.aborted) {
      const now = clock.now()
      turnedAt = now
      if (ports.ping !== undefined) ping(now)
      troubles.guard('agent', () => watch.judge(now))
      await clock.sleep(options.napMs, over.signal).catch(() => undefined)
    }
    await idle
  }

  return {
    async work() {
      takeUpInterrupted(records, troubles, clock.now())
      // Also of a job that is new: from now on its starts can be missed.
      memories.keep(records)
      while (!signal.aborted) await goRound()
      await seeOut()
    },
    turnedAt: () => turnedAt,
    ...agentView(records, ground, { version: options.version, startedAt }),
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
