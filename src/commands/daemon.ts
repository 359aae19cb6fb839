import { join } from 'node:path'
import { openBook } from '../agent/book.ts'
import { historyIn } from '../agent/history.ts'
import { createAgent, type ScheduledAgent } from '../agent/scheduled-agent.ts'
import { serveApi } from '../api/server.ts'
import type { AskedFor } from '../cli/asked.ts'
import type { Config } from '../config/keys.ts'
import { createMetrics } from '../metrics/metrics.ts'
import { createNotifier, type Notifier } from '../notify/notifier.ts'
import type { Clock } from '../run/clock.ts'
import { takeLease } from '../run/lease.ts'
import { agentName, lockAgent } from '../run/lock.ts'
import { thisMachine } from '../run/machine.ts'
import { until } from '../run/until.ts'
import { engineOf } from '../site.ts'
import { type AgentLog, agentLog } from './agent-log.ts'
import { portsOf } from './agent-ports.ts'
import { prepare } from './prepare.ts'
import { refuseWithoutJobs } from './reach.ts'
import type { Terminal } from './terminal.ts'

/** The loop goes round so often even when nothing is due. */
const napMs = 30_000
/** A loop that has not gone round for so long hangs. */
const hangMs = 5 * 60_000
const announceMs = 60_000
/** What the last run had to tell is still sent. */
const partingMs = 5_000

/** Keeps the jobs' promises until a signal ends it; then its runs settle, within [state] settle_timeout. Returns the exit code. */
export async function daemon({ options }: AskedFor<'daemon'>, terminal: Terminal): Promise<number> {
  const { config, request } = await prepare(options, terminal)
  refuseWithoutJobs(config)
  const { clock, signal, stateDir } = request
  const log = agentLog(config, options.verbosity, terminal)
  for (const warning of config.warnings) log.warn(warning)

  using _lock = lockAgent(stateDir)
  using lease = await takeLease(join(stateDir, `${agentName}.lease`), {
    machine: thisMachine(),
    clock,
    signal,
    leaseMs: config.state.leaseMs,
    waiting: (what) => log.info(`waiting for ${what}`),
  })
  using book = openBook(join(stateDir, 'agent.db'))
  const history = historyIn(stateDir)
  const hypervisor = engineOf(config, terminal.env)
  using notifier = createNotifier({
    config,
    clock,
    file: join(stateDir, 'outbox.db'),
    announce: (event, number, asked) =>
      hypervisor.announce(event, number, AbortSignal.any([asked, AbortSignal.timeout(announceMs)])),
    digest: (from, to) => ({ status: agent.status(), runs: history.runs({ limit: 1000, from, to }) }),
  })
  const agent = createAgent(
    agentOptions(config, terminal.version),
    portsOf({ config, request, terminal, hypervisor, book, history, notifier, log }),
    AbortSignal.any([signal, lease.signal]),
  )
  const parting = new AbortController()
  const sending = notifier.work(parting.signal)
  agent.watch((event) => log.event(event))
  await workAndServe(agent, config, terminal.version, log, clock)
  await said(notifier, clock)
  parting.abort()
  await sending
  await hypervisor.close()
  lease.assertHeld()
  log.info('the agent has ended: its runs are settled')
  return 0
}

/** Answers for as long as it works, also while its last runs settle. */
async function workAndServe(
  agent: ScheduledAgent,
  config: Config,
  version: string,
  log: AgentLog,
  clock: Clock,
): Promise<void> {
  const metrics = createMetrics(agent)
  await using api = await serveApi(agent, {
    api: config.api,
    stateDir: config.state.dir,
    version,
    isAlive: () => clock.now() - agent.turnedAt() < hangMs,
    metrics: () => metrics.text(),
    onError: (error) => log.error(error),
    onAct: ({ who, path, status }) => log.info(`${who} asked for ${path}: ${status}`),
  })
  const names = config.jobs.map(({ name }) => name).join(', ')
  const doors = [config.api.socket, ...(api.url === undefined ? [] : [api.url])].join(' and ')
  log.info(`the agent is at work: ${config.jobs.length} job(s) (${names}); it listens on ${doors}`)
  await agent.work()
}

function agentOptions({ jobs, daemon: own }: Config, version: string) {
  return {
    jobs,
    version,
    runsAtOnce: own.runsAtOnce,
    inventoryMs: own.inventoryMs,
    warnPercent: own.rpoWarningPercent,
    pingMs: own.pingMs,
    napMs,
  }
}

/** Waits a moment until what can be sent is sent; the rest is sent by the next start. */
async function said(notifier: Notifier, clock: Clock): Promise<void> {
  const signal = AbortSignal.timeout(partingMs)
  const sent = async (): Promise<true | undefined> => {
    const { waiting, failing } = notifier.counts()
    return waiting <= failing ? true : undefined
  }
  const wait = { what: 'the last messages', clock, intervalMs: 100, deadlineMs: partingMs, signal }
  await until(wait, sent).catch(() => undefined)
}
