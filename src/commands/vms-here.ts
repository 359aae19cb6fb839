import { historyIn } from '../agent/history.ts'
import { protectVms, unprotectVms } from '../agent/protect.ts'
import { pairStanding } from '../agent/standing.ts'
import { unwatchedVms } from '../agent/unwatched.ts'
import type { VmView } from '../agent/view.ts'
import type { Config } from '../config/keys.ts'
import { policiesOf } from '../config/policies.ts'
import { nameOfPair } from '../model/pair.ts'
import { withEngine } from '../site.ts'
import { inventoryOf } from './agent-ports.ts'
import type { Terminal } from './terminal.ts'

/** A VM of which no more was asked. */
type NamedVm = Pick<VmView, 'id' | 'name' | 'policy'>

/** The VMs of the jobs, by asking engine and Gluster, as the runs of this state directory have left them. Throws what those say. */
export async function vmsHere(config: Config, terminal: Terminal): Promise<VmView[]> {
  const history = historyIn(config.state.dir)
  const { vms, blind } = await withEngine(config, terminal.env, (hypervisor) =>
    inventoryOf(config, hypervisor)(terminal.signal()),
  )
  for (const { error } of blind) throw error
  const pairs = config.jobs.flatMap((job) => job.pairs)
  const standings = new Map(pairs.map((pair) => [nameOfPair(pair), pairStanding(history.lastWriter(pair))]))
  return unwatchedVms(vms, standings, Date.now(), config.daemon.rpoWarningPercent)
}

/** Gives VMs a policy in the engine. Throws Unknown, Refused, EngineError. */
export async function protectHere(
  config: Config,
  vms: readonly string[],
  policy: string | undefined,
  terminal: Terminal,
): Promise<NamedVm[]> {
  const policies = policiesOf(config)
  const found = await withEngine(config, terminal.env, (hypervisor) =>
    protectVms(hypervisor, vms, policy, policies, terminal.signal()),
  )
  const name = policy ?? policies[0]?.name ?? ''
  return found.map((vm) => ({ id: vm.id, name: vm.name, policy: name }))
}

/** Takes policies from VMs in the engine, and keeps them out of every job. Throws Unknown, Refused, EngineError. */
export async function unprotectHere(
  config: Config,
  vms: readonly string[],
  terminal: Terminal,
): Promise<NamedVm[]> {
  const found = await withEngine(config, terminal.env, (hypervisor) =>
    unprotectVms(hypervisor, vms, policiesOf(config), terminal.signal()),
  )
  return found.map(({ id, name }) => ({ id, name }))
}
