import { type Checkpoint, isStopped, type OpenVolume, type Progress } from '../model/replication.ts'
import type { Site } from '../model/site.ts'
import type { Owed } from '../run/obligation.ts'
import type { Run } from '../run/run.ts'
import { until } from '../run/until.ts'
import { type Bandwidth, bandwidthOf } from './bandwidth.ts'
import type { BackupOptions } from './options.ts'
import { leftByEarlier, type Sample, timeLeft, withTook } from './time-left.ts'

/** A session that died is started again, but not at every look. */
const restartPauseMs = 10_000
const stopMs = 120_000
/** A look costs Gluster a command, one that comes late costs guests time on their overlays: so much of what it took until now. */
const lateness = 0.03
const shortestPauseMs = 100
/** A session that works through a backlog may be silent so many times longer than an idle one. */
const busyPatience = 20

/** How long the last ones took, as a fact of the ledger. */
const tookFact = 'replications took'

/**
 * Sees that the session does not run: one that does would need a restart to see a new checkpoint, and it would tear the copy afterwards.
 * It is asked before guests write to overlays, which need not wait for the answer. Throws TimedOut when it does not stop.
 */
export async function readySession(run: Run, site: Site): Promise<void> {
  const { state } = await site.replication.session(run.signal)
  if (isStopped(state)) return
  const text = `the session was ${state}: it is stopped, and stays so after the run`
  run.emit({ kind: 'note', severity: 'info', text })
  await stopReplication(run, site, [])
}

/**
 * Brings everything that the primary holds at this moment to the secondary, by a session that does not run, and stops it again. Throws
 * TimedOut when that takes longer than allowed; the session is then still owed a stop. `again`: a turn for a few files, of which
 * earlier runs tell nothing.
 */
export async function replicate(
  run: Run,
  site: Site,
  primary: OpenVolume,
  options: BackupOptions,
  turn: 'whole' | 'again' = 'whole',
): Promise<void> {
  const { replication } = site
  const bandwidth = bandwidthOf(run, site, options)
  const began = run.clock.now()
  const owed = run.owe({ kind: 'session' })
  await replication.mark(run.signal)
  await bandwidth.apply()
  await replication.start(run.signal)
  // Its workers take seconds to come up: what can be asked meanwhile costs no time.
  const checkpoint = await replication.marked(run.signal)
  const rate = bandwidth.rate()
  const earlier = turn === 'whole' ? run.recall(tookFact) : undefined
  const look = watchFor({ run, site, primary, checkpoint, options, bandwidth, began, earlier })
  await until(
    {
      what: 'the replication checkpoint',
      clock: run.clock,
      intervalMs: look.pauseMs,
      deadlineMs: options.replicationMs,
      signal: run.signal,
      lastSeen: look.lastSeen,
      hint: 'give it more time with --timeout, and look at the session: gluster volume geo-replication status',
    },
    look.once,
  )
  await stopReplication(run, site, [owed])
  if (turn === 'again' || bandwidth.rate() !== rate) return
  const took = { ms: run.clock.now() - began, ...(rate === undefined ? {} : { rate }) }
  run.note(tookFact, withTook(run.recall(tookFact), took))
}

/** Settles sessions owed: stops the session, sees that it is stopped, strikes. */
export async function stopReplication(run: Run, site: Site, owed: readonly Owed[]): Promise<void> {
  await site.replication.stop(run.signal)
  await until(
    {
      what: 'the session to stop',
      clock: run.clock,
      intervalMs: 500,
      deadlineMs: stopMs,
      signal: run.signal,
    },
    async () => {
      const { state } = await site.replication.session(run.signal)
      return isStopped(state) ? state : undefined
    },
  )
  for (const one of owed) run.strike(one)
}

interface Watched {
  run: Run
  site: Site
  primary: OpenVolume
  checkpoint: Checkpoint
  options: BackupOptions
  bandwidth: Bandwidth
  began: number
  /** How long earlier ones took, as they noted it. */
  earlier: string | undefined
}

/** `pauseMs`: until the next look. */
interface Watch {
  once(): Promise<true | undefined>
  lastSeen(): string
  pauseMs(): number
}

function watchFor(watched: Watched): Watch {
  const { run, site, primary, checkpoint, options, bandwidth, began, earlier } = watched
  const { replication } = site
  const { clock, signal } = run
  let detail = 'nothing yet'
  let reached = 0
  let changedAt = clock.now()
  let startedAt = clock.now()
  let patienceMs = busyPatience * options.stallMs
  let samples: Sample[] = []
  let atWork = false

  const restart = async (why: string, stopFirst: boolean): Promise<void> => {
    const text = `${why}: the session is started again`
    run.emit({ kind: 'note', severity: 'info', text, again: 'replication' })
    await begin(stopFirst)
  }
  const begin = async (stopFirst: boolean): Promise<void> => {
    if (stopFirst) {
      await stopReplication(run, site, [])
      if (bandwidth.isDue()) await bandwidth.apply()
    }
    await replication.start(signal)
    samples = []
    startedAt = clock.now()
    changedAt = clock.now()
  }
  const see = (progress: Progress & { state: 'waiting' }): void => {
    if (progress.detail !== detail || progress.reached !== reached) changedAt = clock.now()
    detail = progress.detail
    reached = progress.reached
    samples.push({ at: clock.now(), pending: progress.pending })
    const leftMs = timeLeft(samples) ?? leftByEarlier(earlier, clock.now() - began, bandwidth.rate())
    const what = `checkpoint on ${progress.reached} of ${progress.of} bricks; ${detail}`
    run.emit({ kind: 'waiting', what, ...(leftMs === undefined ? {} : { leftMs }) })
  }
  const answerSilence = async (busy: boolean): Promise<void> => {
    // Gluster loses change log events after a worker's restart, and only another restart reads them from history. A
    // restart in the middle of a transfer begins it again, so that one is given more time, and twice as much each time.
    const limitMs = busy ? patienceMs : options.stallMs
    const silentMs = clock.now() - changedAt
    if (silentMs < limitMs) return
    if (busy) patienceMs *= 2
    await restart(`no progress for ${Math.round(silentMs / 1000)} s`, true)
  }

  return {
    lastSeen: () => detail,
    pauseMs() {
      const early = Math.max(shortestPauseMs, (clock.now() - startedAt) * lateness)
      return atWork ? Math.min(options.intervalMs, early) : options.intervalMs
    },
    async once() {
      // What was sent of a file stays there, and the next rsync goes on behind it: a restart costs reading it at both ends.
      if (bandwidth.isDue()) await begin(true)
      await replication.nudge(primary, signal)
      const progress = await replication.progress(checkpoint, signal)
      if (progress.state === 'reached') return true
      atWork = progress.state === 'waiting' && progress.atWork
      if (progress.state === 'waiting') {
        see(progress)
        await answerSilence(progress.busy)
      } else {
        detail = progress.detail
        run.emit({ kind: 'waiting', what: `the session to run: ${detail}` })
        if (clock.now() - startedAt > restartPauseMs) await restart(`the session is down (${detail})`, false)
      }
      return undefined
    },
  }
}
