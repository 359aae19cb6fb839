import type { VmView } from '../agent/view.ts'
import type { AskedFor } from '../cli/asked.ts'
import { type NextEnds, nextEnds, renderVms } from '../cli/render-vms.ts'
import { jobNamed, lookOf, print, reach, refuseWithoutJobs } from './reach.ts'
import type { Terminal } from './terminal.ts'
import { protectHere, unprotectHere, vmsHere } from './vms-here.ts'

/** Lists the VMs and how they stand; returns the exit code. */
export async function vms({ job, options }: AskedFor<'vms'>, terminal: Terminal): Promise<number> {
  const { config, agent } = await reach(options, terminal)
  if (job !== undefined) jobNamed(config, job)
  else refuseWithoutJobs(config)
  const all = agent === undefined ? await vmsHere(config, terminal) : await agent.vms()
  const list = job === undefined ? all : all.filter((vm) => vm.job === job)
  const ends: NextEnds = agent === undefined ? new Map() : nextEnds(await agent.status(), Date.now())
  print(terminal, options.json, { version: 1, vms: list }, () => renderVms(list, ends, lookOf(terminal)))
  return 0
}

/** Gives VMs a policy; returns the exit code. */
export async function protect(asked: AskedFor<'protect'>, terminal: Terminal): Promise<number> {
  const { vms: names, policy, options } = asked
  const { config, agent } = await reach(options, terminal)
  const list: Protected[] =
    agent === undefined
      ? await protectHere(config, names, policy, terminal)
      : await agent.protect(names, policy, terminal.signal())
  print(terminal, options.json, { version: 1, vms: list }, () =>
    told(list, names.length, (vm) => `${vm.name} has the policy ${vm.policy ?? policy ?? ''}${jobWords(vm)}`),
  )
  return 0
}

/** Takes policies from VMs and keeps them out of every job; returns the exit code. */
export async function unprotect(asked: AskedFor<'unprotect'>, terminal: Terminal): Promise<number> {
  const { vms: names, options } = asked
  const { config, agent } = await reach(options, terminal)
  const list =
    agent === undefined
      ? await unprotectHere(config, names, terminal)
      : await agent.unprotect(names, terminal.signal())
  print(terminal, options.json, { version: 1, vms: list }, () =>
    told(list, names.length, ({ name }) => `${name} is kept out of every job`),
  )
  return 0
}

/** Where no agent runs, no more is asked of the engine than this needs. */
type Protected = Pick<VmView, 'id' | 'name' | 'policy'> & Partial<VmView>

function told<T>(list: readonly T[], asked: number, words: (vm: T) => string): string {
  const others = asked - list.length
  const more = others > 0 ? [`done for ${others} without a disk on the volumes of any job`] : []
  return [...list.map(words), ...more].join('\n')
}

function jobWords({ state, job, why }: Protected): string {
  if (state === undefined) return ''
  if (job !== undefined) return `; job ${job} takes it`
  return why === undefined ? '; no job takes it' : `; no job takes it: ${why}`
}
