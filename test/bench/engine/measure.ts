import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { certificatesIn, makeCertificates } from '../../../src/lab/sites/certificates.ts'
import type { Bench } from '../figure.ts'
import type { AgentQuestion } from './agent-process.ts'
import { build } from './built.ts'
import { type Child, startChild } from './child.ts'
import type { EngineQuestion, Requests } from './engine-process.ts'
import type { RunEnd } from './run-some.ts'
import type { ScriptEnd, ScriptQuestion } from './script-process.ts'
import type { Slots } from './slots.ts'
import type { Spent } from './spent.ts'
import type { WatchEnd } from './watch-all.ts'

/** Reading the inventory of one engine in three ways. */
export interface Reading {
  vms: number
  ours: Spent & { seconds: number; vms: number; disks: number; requests: number }
  /** Question by question, of the first VMs only. */
  script: ScriptEnd
  /** All with one question. */
  atOnce: ScriptEnd
}

/** Snapshots and merges of some VMs. */
export interface Moving extends Slots {
  parallel: number
  vms: number
  ours: RunEnd & Spent & { requests: Requests }
}

type Omitted<T> = T extends unknown ? Omit<T, 'server' | 'ca'> : never

/** The processes of this section, built once; `engineWith` starts an engine, which disposing of ends. */
export async function processes({ dir, signal }: Bench) {
  const fileOf = await build(dir)
  const tls = join(dir, 'tls')
  await makeCertificates(tls, ['localhost'], '127.0.0.1')
  const { keyFile, certFile, caFile } = certificatesIn(tls)
  const [key, cert, ca] = await Promise.all([keyFile, certFile, caFile].map((file) => readFile(file, 'utf8')))
  return {
    async engineWith(vms: number) {
      const engine = startChild(fileOf('engine-process.js'), signal)
      const ask = <Answer>(question: EngineQuestion) => engine.ask<Answer>(question)
      const server = await ask<string>({ start: { vms, key: key ?? '', cert: cert ?? '' } })
      /** Asks a process that is there for this question only. */
      const once = async <Answer>(program: string, question: object): Promise<Answer> => {
        await using child: Child = startChild(fileOf(program), signal)
        return await child.ask<Answer>({ server, ca, ...question })
      }
      return {
        ask,
        requests: () => ask<Requests>({ requests: 'since the last question' }),
        agent: <Answer>(question: Omitted<AgentQuestion>) => once<Answer>('agent-process.js', question),
        script: (question: Omitted<ScriptQuestion>) => once<ScriptEnd>('script-process.js', question),
        [Symbol.asyncDispose]: () => engine[Symbol.asyncDispose](),
      }
    },
  }
}

type Engine = Awaited<ReturnType<Awaited<ReturnType<typeof processes>>['engineWith']>>

/** Reads the inventory of an engine; the script is given up after `sample` VMs. */
export async function read(engine: Engine, vms: number, sample: number): Promise<Reading> {
  await engine.requests()
  const planned = await engine.agent<Omit<Reading['ours'], 'requests'>>({ plan: true })
  const { all } = await engine.requests()
  if (planned.vms !== vms) throw new Error(`the agent saw ${planned.vms} of ${vms} VMs`)
  const script = await engine.script({ look: { vms: Math.min(sample, vms) } })
  const atOnce = await engine.script({ atOnce: true })
  return { vms, ours: { ...planned, requests: all }, script, atOnce }
}

/** A run for some VMs; what the engine is asked by others meanwhile is `besides`. */
export async function move(
  engine: Engine,
  stateDir: string,
  order: { parallel: number; from: number; vms: number },
  besides: () => Promise<{ requests: number }>,
): Promise<Moving> {
  const { parallel, vms } = order
  await mkdir(stateDir, { recursive: true })
  await engine.requests()
  const [ours, others] = await Promise.all([
    engine.agent<RunEnd & Spent>({ run: { stateDir, ...order } }),
    besides(),
  ])
  const requests = await engine.requests()
  if (ours.outcome !== 'protected') throw new Error(`the run is ${ours.outcome}: ${ours.why}`)
  const slots = await engine.ask<Pick<Moving, 'snapshots' | 'merges'>>({
    slots: { tags: ours.tags, parallel },
  })
  return {
    parallel,
    vms,
    ours: { ...ours, requests: { ...requests, all: requests.all - others.requests } },
    ...slots,
  }
}

/** The agent's loop over all VMs of an engine, with the past runs of several jobs. */
export async function watch(
  engine: Engine,
  stateDir: string,
  { jobs, runs }: { jobs: number; runs: number },
): Promise<WatchEnd & Spent> {
  await mkdir(stateDir, { recursive: true })
  await engine.agent<undefined>({ history: { stateDir, jobs, runs } })
  return engine.agent<WatchEnd & Spent>({ watch: { stateDir, jobs } })
}
