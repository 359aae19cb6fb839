import { execa } from 'execa'
import type { LabNode } from './plan.ts'
import type { ProcessIdentity } from './processes.ts'

const inNetworkOf = ({ pid }: ProcessIdentity): string[] => ['--target', String(pid), '--net']

/** Makes the bridge all nodes hang on, inside the hub's network namespace. */
export async function makeBridge(hub: ProcessIdentity): Promise<void> {
  await ip(hub, 'link add lab type bridge', 'link set lab up', 'link set lo up')
}

/** Gives a node its interface and address. */
export async function plugIn(hub: ProcessIdentity, node: LabNode, init: ProcessIdentity): Promise<void> {
  await ip(
    hub,
    `link add ${node.name} type veth peer name eth0 netns ${init.pid}`,
    `link set ${node.name} master lab up`,
  )
  await ip(init, `address add ${node.ip}/24 dev eth0`, 'link set eth0 up')
}

async function ip(where: ProcessIdentity, ...commands: string[]): Promise<void> {
  await execa('nsenter', [...inNetworkOf(where), 'ip', '-batch', '-'], { input: `${commands.join('\n')}\n` })
}
