import type { AgentEvent } from '../agent/agent.ts'
import type { AgentClient } from '../api/client.ts'
import type { JobConfig } from '../config/keys.ts'
import { Cancelled, Failure } from '../model/errors.ts'
import { nameOfPair, type Pair } from '../model/pair.ts'
import type { Clock } from '../run/clock.ts'
import type { RunEvent } from '../run/event.ts'
import type { Report } from '../run/report.ts'

/** How often the job is looked at although nothing is heard of it. */
const lookMs = 5000
/** After the end: what it told before may still be on its way. */
const drainMs = 500

/**
 * Has the agent start a run of the job, and tells its events until it has ended; one report for each pair. Throws what the agent
 * refuses; Cancelled when the signal comes, which leaves the run to the agent; Failure when the agent goes away.
 */
export async function followJob(
  agent: AgentClient,
  job: Pick<JobConfig, 'name' | 'pairs'>,
  tell: (pair: string, event: RunEvent) => void,
  { signal, clock }: { signal: AbortSignal; clock: Clock },
): Promise<Report[]> {
  const askedAt = clock.now()
  const reports = new Map<string, Report>()
  using ear = openEar(agent, job.name, { signal, clock })

  /** True when the job may have come to its end. */
  const take = (heard: AgentEvent): boolean => {
    if (heard.kind === 'changed') return true
    if (heard.job !== job.name) return false
    tell(heard.pair, heard.event)
    if (heard.event.kind !== 'run ended') return false
    reports.set(heard.pair, heard.event.report)
    return true
  }

  // The first one says that all from now on is heard.
  await ear.hear(lookMs)
  const found = await agent.start(job.name)
  for (let over = false; !over || reports.size < job.pairs.length; ) {
    const heard = await ear.hear(over ? drainMs : lookMs)
    if (over && heard === undefined) break
    if (heard === undefined || take(heard)) over = !(await goesOn(agent, job.name))
  }
  return await allOf(agent, job, reports, found === 'running' ? 0 : askedAt)
}

/** The events of a job. Nothing is heard any more when it is disposed. */
interface Ear extends Disposable {
  /** The next one; undefined after a while of silence. Throws Cancelled with the signal, Failure when the agent is gone. */
  hear(silenceMs: number): Promise<AgentEvent | undefined>
}

function openEar(
  agent: AgentClient,
  name: string,
  { signal, clock }: { signal: AbortSignal; clock: Clock },
): Ear {
  const closing = new AbortController()
  const events = agent.events(AbortSignal.any([signal, closing.signal]), name)[Symbol.asyncIterator]()
  let next: Promise<IteratorResult<AgentEvent>> | undefined
  return {
    async hear(silenceMs) {
      next ??= events.next()
      // It may break off when nobody waits for it.
      next.catch(() => undefined)
      const heard = await within(next, silenceMs, { signal, clock }).catch((cause: unknown) => {
        throw signal.aborted ? notFollowed(name) : gone(name, cause)
      })
      if (signal.aborted) throw notFollowed(name)
      if (heard === undefined) return undefined
      if (heard.done) throw gone(name)
      next = undefined
      return heard.value
    },
    [Symbol.dispose]: () => closing.abort(),
  }
}

/** What comes of it, or undefined after so long or when the signal comes. */
async function within<T>(
  coming: Promise<T>,
  ms: number,
  { signal, clock }: { signal: AbortSignal; clock: Clock },
): Promise<T | undefined> {
  const over = new AbortController()
  const silence = clock.sleep(ms, AbortSignal.any([signal, over.signal])).catch(() => undefined)
  try {
    return (await Promise.race([coming, silence])) ?? undefined
  } finally {
    over.abort()
  }
}

async function goesOn(agent: AgentClient, name: string): Promise<boolean> {
  const jobs = await agent.jobs().catch((cause: unknown) => {
    throw gone(name, cause)
  })
  const state = jobs.find((job) => job.name === name)?.state
  return state === 'running' || state === 'queued' || state === 'settling'
}

/** What was heard, and of pairs of which nothing was heard what the agent has kept since. */
async function allOf(
  agent: AgentClient,
  { name, pairs }: Pick<JobConfig, 'name' | 'pairs'>,
  reports: Map<string, Report>,
  since: number,
): Promise<Report[]> {
  const isMissing = ({ pair }: { pair: Pair }): boolean => !reports.has(nameOfPair(pair))
  if (reports.size < pairs.length) {
    const kept = await agent.runs({ job: name, limit: pairs.length })
    for (const run of kept.filter((one) => isMissing(one) && Date.parse(one.finishedAt) >= since)) {
      const report = await agent.report(run.run)
      if (report !== undefined) reports.set(nameOfPair(run.pair), report)
    }
  }
  if (reports.size > 0) return [...reports.values()]
  throw new Failure(`no run of job ${name} was made`, {
    hint: 'it was taken out of the queue, or the agent is being stopped: vmbackup status shows how it stands',
  })
}

function notFollowed(name: string): Cancelled {
  return new Cancelled(`job ${name} is no longer followed; its run goes on in the agent`, {
    hint: `vmbackup status shows it, vmbackup cancel ${name} ends it`,
  })
}

function gone(name: string, cause?: unknown): Failure {
  return new Failure(`the agent has ended while job ${name} was followed`, {
    cause,
    hint: `once it runs again, vmbackup runs --job ${name} says what became of it`,
  })
}
