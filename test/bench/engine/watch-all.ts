import { join } from 'node:path'
import { openBook } from '../../../src/agent/book.ts'
import { historyIn } from '../../../src/agent/history.ts'
import { inventoryFrom } from '../../../src/agent/inventory.ts'
import { createAgent } from '../../../src/agent/scheduled-agent.ts'
import type { Hypervisor } from '../../../src/model/hypervisor.ts'
import { systemClock } from '../../../src/run/clock.ts'
import { medianOf } from '../middle.ts'
import { jobsOf } from './past-runs.ts'

export interface WatchOrder {
  /** With the jobs' past runs. */
  stateDir: string
  jobs: number
}

export interface WatchEnd {
  /** Medians of turns that know all VMs, and of what the API's clients ask for. */
  turnSeconds: number
  statusSeconds: number
  vmsSeconds: number
  vms: number
}

const times = 9

/** The agent's loop over all VMs, with several jobs and their past runs; nothing is due. */
export async function watchAll(hypervisor: Hypervisor, order: WatchOrder): Promise<WatchEnd> {
  const signal = new AbortController()
  const jobs = jobsOf(order.jobs)
  using book = openBook(join(order.stateDir, 'agent.db'))
  const rounds = roundsOf()
  const agent = createAgent(
    { jobs, version: '0', runsAtOnce: 1, inventoryMs: 3_600_000, warnPercent: 20, pingMs: 60_000, napMs: 1 },
    {
      clock: rounds.clock,
      book,
      history: historyIn(order.stateDir),
      inventory: inventoryFrom({
        hypervisor,
        jobs,
        policies: [],
        volumesOf: async ({ primary, secondary }) => ({
          primary: { volume: primary, hosts: [], sharded: false, replicated: true },
          secondary,
        }),
        selectionOf: ({ name, select }) => ({ job: name, include: select, exclude: [], excludeDisks: [] }),
      }),
      runner: {
        run: () => Promise.reject(new Error('nothing is due')),
        recover: async () => [],
      },
      tell: () => undefined,
      outbox: () => ({ waiting: 0, failing: 0 }),
      otherTroubles: () => [],
      protect: async () => [],
      unprotect: async () => [],
    },
    signal.signal,
  )
  const working = agent.work()
  while (agent.vms().length === 0) await rounds.next()
  // The first turn that knows all VMs remembers them.
  await rounds.next()
  const turns: number[] = []
  for (let turn = 0; turn < times; turn++) turns.push(await rounds.next())
  const status = agent.status()
  const statuses = Array.from({ length: times }, () => secondsOf(() => agent.status()))
  const lists = Array.from({ length: times }, () => secondsOf(() => agent.vms()))
  const vms = agent.vms().length
  signal.abort(new Error('the bench is over'))
  rounds.end()
  await working
  if (status.troubles.length > 0) throw new Error(JSON.stringify(status.troubles))
  return {
    turnSeconds: medianOf(turns),
    statusSeconds: medianOf(statuses),
    vmsSeconds: medianOf(lists),
    vms,
  }
}

/** A clock on which the loop goes round when it is told to, and tells how long that took. */
function roundsOf() {
  let waiting = Promise.withResolvers<void>()
  let go = Promise.withResolvers<void>()
  return {
    clock: {
      now: systemClock.now,
      sleep: async () => {
        waiting.resolve()
        await go.promise
      },
    },
    async next(): Promise<number> {
      await waiting.promise
      // What is done beside the loop comes to rest.
      await systemClock.sleep(200, new AbortController().signal)
      const begin = go
      waiting = Promise.withResolvers()
      go = Promise.withResolvers()
      const at = performance.now()
      begin.resolve()
      await waiting.promise
      return (performance.now() - at) / 1000
    },
    end: () => go.resolve(),
  }
}

function secondsOf(act: () => unknown): number {
  const at = performance.now()
  act()
  return (performance.now() - at) / 1000
}
