import axios from 'axios'
import type { Book } from '../agent/book.ts'
import type { History } from '../agent/history.ts'
import { inventoryFrom } from '../agent/inventory.ts'
import type { AgentPorts } from '../agent/ports.ts'
import { protectVms, unprotectVms } from '../agent/protect.ts'
import type { Config } from '../config/keys.ts'
import { policiesOf } from '../config/policies.ts'
import { Failure } from '../model/errors.ts'
import type { Hypervisor } from '../model/hypervisor.ts'
import type { Notifier } from '../notify/notifier.ts'
import { replicationOf, selectionOf } from '../site.ts'
import type { AgentLog } from './agent-log.ts'
import { createRunner } from './job-runner.ts'
import { type AnyRequest, logDirIn } from './prepare.ts'
import type { Terminal } from './terminal.ts'

const pingMs = 30_000

/** Joins the agent with the engine, the replication, its state and whom it tells. Throws UsageError, Failure. */
export function portsOf(parts: {
  config: Config
  request: AnyRequest
  terminal: Terminal
  hypervisor: Hypervisor
  book: Book
  history: History
  notifier: Notifier
  log: AgentLog
}): AgentPorts {
  const { config, request, terminal, hypervisor, book, history, notifier, log } = parts
  const policies = policiesOf(config)
  const { pingUrl } = config.daemon
  return {
    clock: request.clock,
    book,
    history,
    runner: createRunner(config, request, terminal),
    inventory: inventoryOf(config, hypervisor),
    tell(alert) {
      log.alert(alert)
      notifier.tell(alert)
    },
    outbox: () => notifier.counts(),
    otherTroubles: () =>
      notifier.troubles().map(({ since, ...rest }) => ({ since: Date.parse(since), ...rest })),
    protect: (vms, policy, signal) => protectVms(hypervisor, vms, policy, policies, signal),
    unprotect: (vms, signal) => unprotectVms(hypervisor, vms, policies, signal),
    ...(pingUrl === undefined ? {} : { ping: (signal: AbortSignal) => ping(pingUrl, signal) }),
  }
}

/** Asks for the VMs with disks on the volumes of the configured jobs. Throws UsageError, Failure. */
export function inventoryOf(config: Config, hypervisor: Hypervisor): AgentPorts['inventory'] {
  const logDir = logDirIn(config.state.dir)
  return inventoryFrom({
    hypervisor,
    jobs: config.jobs,
    policies: policiesOf(config),
    volumesOf: (pair, signal) => replicationOf(config, pair, logDir).pair(signal),
    selectionOf: (job) => selectionOf(config, job),
    storageDomain: config.snapshot.storageDomain,
  })
}

/** The address may be a secret: it is not told. */
async function ping(url: string, signal: AbortSignal): Promise<void> {
  const answer = await axios
    .get<unknown>(url, {
      signal: AbortSignal.any([signal, AbortSignal.timeout(pingMs)]),
      maxContentLength: 64 * 1024,
      validateStatus: () => true,
    })
    .catch((error: unknown) => {
      const code = axios.isAxiosError(error) ? error.code : undefined
      throw new Failure(`the ping of [daemon] ping_url was not answered (${code ?? 'no reason was given'})`, {
        hint: 'check the address and the way there; whoever watches it takes the agent for dead',
      })
    })
  if (answer.status >= 400) {
    throw new Failure(`the ping of [daemon] ping_url was answered with ${answer.status}`, {
      hint: 'check the address; whoever watches it takes the agent for dead',
    })
  }
}
