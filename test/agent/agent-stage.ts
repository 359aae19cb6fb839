import { openBook } from '../../src/agent/book.ts'
import { type History, summaryOf } from '../../src/agent/history.ts'
import type { AgentPorts, InventoryVm } from '../../src/agent/ports.ts'
import { type AgentOptions, createAgent } from '../../src/agent/scheduled-agent.ts'
import type { JobConfig } from '../../src/config/keys.ts'
import type { Alert } from '../../src/model/alert.ts'
import { nameOfPair, type Pair } from '../../src/model/pair.ts'
import type { Report, VmResult } from '../../src/run/report.ts'
import { runId } from '../../src/run/run.ts'
import { virtualClock } from '../support/virtual-clock.ts'
import { aJob as aPlainJob } from './a-job.ts'

/** How a job's runs go in the world. */
interface Going {
  minutes: number
  /** Why a run fails before it overwrites anything. */
  refused?: string
  /** Why a run cannot even begin. */
  throws?: string
  /** Names of VMs that fail, and why. */
  failing?: Record<string, string>
}

export const minuteMs = 60_000

/** A job as the configuration would give it, in Vienna. */
export function aJob(name: string, change: Partial<JobConfig> = {}): JobConfig {
  const pairs = [{ primary: name, secondary: { host: 'dr1', volume: `${name}-dr` } }]
  return { ...aPlainJob({ name, pairs, timeZone: 'Europe/Vienna' }), ...change }
}

/** An agent in a world of fakes with a clock of its own; what happens is written down as lines, by the wall clock of Vienna. */
export function agentStage(jobs: readonly JobConfig[], start: string, vmsOf: Record<string, string[]>) {
  const clock = virtualClock(Date.parse(start))
  const lines: string[] = []
  const told = new Set<string>()
  const reports: Report[] = []
  const writers = new Map<string, string>()
  const goings = new Map<string, Going>()
  let engineDown: string | undefined
  let diskFull: string | undefined
  let unreadable: string | undefined
  const readable = (): void => {
    if (unreadable !== undefined) throw new Error(unreadable)
  }
  const owed = new Set<string>()
  const blind = new Set<string>()
  let dead = false
  const book = openBook(':memory:')

  const say = (text: string): void => {
    if (dead) return
    const at = new Intl.DateTimeFormat('sv-SE', {
      timeZone: 'Europe/Vienna',
      weekday: 'short',
      hour: '2-digit',
      minute: '2-digit',
    }).format(clock.now())
    lines.push(`${at}  ${text}`)
  }
  const history: History = {
    runs({ job, limit }) {
      readable()
      return reports
        .filter((one) => job === undefined || one.job === job)
        .toReversed()
        .slice(0, limit)
        .map(summaryOf)
    },
    report: (run) => reports.find((one) => one.run === run),
    points: () => [],
    writer: (pair) => writers.get(nameOfPair(pair)),
    lastWriter(pair) {
      readable()
      const run = writers.get(nameOfPair(pair))
      if (run === undefined) return undefined
      const report = reports.find((one) => one.run === run)
      return report === undefined ? { run } : { run, report }
    },
    owed(pair) {
      readable()
      return pair === undefined ? owed.size : Number(owed.has(nameOfPair(pair)))
    },
  }

  const perform = async (job: JobConfig, pair: Pair, signal: AbortSignal): Promise<Report> => {
    const { minutes, refused, failing = {} } = goings.get(job.name) ?? { minutes: 10 }
    const startedAt = clock.now()
    const why = refused ?? engineDown
    const base = {
      version: 1 as const,
      run: runId(new Date(startedAt)),
      job: job.name,
      startedAt: new Date(startedAt).toISOString(),
      primary: pair.primary,
      secondary: pair.secondary,
      steps: [],
      warnings: [],
      leftOpen: [],
    }
    const ended = (rest: Pick<Report, 'outcome' | 'vms' | 'overwrote' | 'error' | 'manifest'>): Report => {
      const report = { ...base, ...rest, finishedAt: new Date(clock.now()).toISOString() }
      reports.push(report)
      return report
    }
    if (why !== undefined) {
      await clock.sleep(5 * minuteMs, signal)
      return ended({ outcome: 'refused', vms: [], overwrote: false, error: { message: why, causes: [] } })
    }
    writers.set(nameOfPair(pair), base.run)
    await clock.sleep(minutes * minuteMs, signal)
    const vms = (vmsOf[job.name] ?? []).map((name): VmResult => {
      const bad = failing[name]
      if (bad !== undefined) return { id: name, name, disks: [], state: 'failed', why: bad }
      const asOf = { earliest: base.startedAt, latest: base.startedAt }
      return {
        id: name,
        name,
        disks: [],
        state: 'protected',
        consistency: 'frozen',
        content: 'samples',
        asOf,
      }
    })
    const outcome = Object.keys(failing).length > 0 ? 'partly protected' : 'protected'
    return ended({ outcome, vms, overwrote: true, manifest: `vmbackup/points/${base.run}.json` })
  }

  const ports: AgentPorts = {
    clock,
    history,
    book: {
      ...book,
      set(changes) {
        if (diskFull !== undefined) throw new Error(diskFull)
        if (!dead) book.set(changes)
      },
    },
    runner: {
      async run(job, signal) {
        say(`run ${job.name} starts`)
        const why = goings.get(job.name)?.throws
        if (why !== undefined) throw new Error(why)
        const ends = await Promise.allSettled(job.pairs.map((pair) => perform(job, pair, signal)))
        const made = ends.flatMap((end) => (end.status === 'fulfilled' ? [end.value] : []))
        say(`run ${job.name} ends: ${made.map(({ outcome }) => outcome).join(', ') || 'cancelled'}`)
        return made
      },
      async recover(job) {
        say(`what ${job.name} owes is settled`)
        for (const pair of job.pairs) owed.delete(nameOfPair(pair))
        unreadable = undefined
        return []
      },
    },
    async inventory() {
      if (engineDown !== undefined) throw new Error(engineDown)
      const seen = jobs.filter((job) => !blind.has(job.name))
      const vms = seen.flatMap((job) =>
        (vmsOf[job.name] ?? []).map((name): InventoryVm => {
          const vm = { id: name, name, jobs: [job.name], pairs: job.pairs.map(nameOfPair) }
          return job.rpoMs === undefined ? vm : { ...vm, rpoMs: job.rpoMs }
        }),
      )
      const unseen = jobs.filter((job) => blind.has(job.name)).flatMap((job) => job.pairs)
      return { vms, blind: unseen.map((pair) => ({ pair, error: new Error('glusterd does not answer') })) }
    },
    tell(alert: Alert) {
      if (diskFull !== undefined) throw new Error(diskFull)
      if (dead || told.has(alert.id)) return
      told.add(alert.id)
      say(`  ${alert.severity}: ${alert.title}`)
    },
    outbox: () => ({ waiting: 0, failing: 0 }),
    otherTroubles: () => [],
    protect: async () => [],
    unprotect: async () => [],
  }
  const options: AgentOptions = {
    jobs,
    version: '0.0.0',
    runsAtOnce: 1,
    inventoryMs: 5 * minuteMs,
    warnPercent: 20,
    pingMs: 5 * minuteMs,
    napMs: 5 * minuteMs,
  }

  let ending = new AbortController()
  let agent = createAgent(options, ports, ending.signal)
  let work = agent.work()
  return {
    clock,
    lines,
    say,
    agent: () => agent,
    going: (job: string, how: Going) => void goings.set(job, how),
    engine(down?: string) {
      engineDown = down
      say(down === undefined ? 'the engine is back' : `the engine is away: ${down}`)
    },
    disk(full?: string) {
      diskFull = full
      say(full === undefined ? 'the disk has room again' : 'the disk is full')
    },
    /** A run that is not the agent's has written over the job's first copy. */
    overwrite(job: string, run: string) {
      const [pair] = jobs.find(({ name }) => name === job)?.pairs ?? []
      if (pair !== undefined) writers.set(nameOfPair(pair), run)
    },
    owe(job: string) {
      const [pair] = jobs.find(({ name }) => name === job)?.pairs ?? []
      if (pair !== undefined) owed.add(nameOfPair(pair))
    },
    /** Gluster tells nothing of the job's volumes, or does so again. */
    volumes(job: string, are: 'away' | 'back') {
      if (are === 'away') blind.add(job)
      else blind.delete(job)
    },
    /** A run died in the middle of a write: the history can be read again once what it owes is settled. */
    tornHistory() {
      unreadable = 'attempt to write a readonly database'
    },
    until: (at: string) => clock.passUntil(Date.parse(at)),
    /** As kill -9 does it: nothing is said, a run that goes on leaves what it owes. */
    async kill() {
      say('the agent is killed')
      dead = true
      for (const { pair } of agent.status().running) owed.add(nameOfPair(pair))
      ending.abort(new Error('killed'))
      await clock.passUntil(clock.now())
      await work
    },
    start() {
      dead = false
      say('the agent is started')
      ending = new AbortController()
      agent = createAgent(options, ports, ending.signal)
      work = agent.work()
    },
    async end() {
      ending.abort(new Error('the test is over'))
      await clock.passUntil(clock.now())
      await work
    },
  }
}
