import type { VmView } from '../agent/view.ts'
import type { AskedFor } from '../cli/asked.ts'
import { nextEnds, renderVms } from '../cli/render-vms.ts'
import { jobNamed, lookOf, needAgent, print, reach } from './reach.ts'
import type { Terminal } from './terminal.ts'

/** Lists the VMs and how they stand; returns the exit code. */
export async function vms({ job, options }: AskedFor<'vms'>, terminal: Terminal): Promise<number> {
  const reached = await reach(options, terminal)
  const agent = needAgent(reached)
  if (job !== undefined) jobNamed(reached.config, job)
  const all = await agent.vms()
  const list = job === undefined ? all : all.filter((vm) => vm.job === job)
  const ends = nextEnds(await agent.status(), Date.now())
  print(terminal, options.json, { version: 1, vms: list }, () => renderVms(list, ends, lookOf(terminal)))
  return 0
}

/** Gives VMs a policy; returns the exit code. */
export async function protect(asked: AskedFor<'protect'>, terminal: Terminal): Promise<number> {
  const { vms: names, policy, options } = asked
  const agent = needAgent(await reach(options, terminal))
  const list = await agent.protect(names, policy, terminal.signal())
  print(terminal, options.json, { version: 1, vms: list }, () =>
    told(
      list,
      names.length,
      (vm) => `${vm.name} has the policy ${vm.policy ?? policy ?? ''}; ${jobWords(vm)}`,
    ),
  )
  return 0
}

/** Takes policies from VMs and keeps them out of every job; returns the exit code. */
export async function unprotect(asked: AskedFor<'unprotect'>, terminal: Terminal): Promise<number> {
  const { vms: names, options } = asked
  const agent = needAgent(await reach(options, terminal))
  const list = await agent.unprotect(names, terminal.signal())
  print(terminal, options.json, { version: 1, vms: list }, () =>
    told(list, names.length, (vm) => `${vm.name} is kept out of every job`),
  )
  return 0
}

function told(list: readonly VmView[], asked: number, words: (vm: VmView) => string): string {
  const others = asked - list.length
  const more = others > 0 ? [`done for ${others} without a disk on the volumes of any job`] : []
  return [...list.map(words), ...more].join('\n')
}

function jobWords({ job, why }: VmView): string {
  if (job !== undefined) return `job ${job} takes it`
  return why === undefined ? 'no job takes it' : `no job takes it: ${why}`
}
