import type { FastifyReply } from 'fastify'
import type { Agent } from '../agent/agent.ts'
import { JobView, VmView } from '../agent/view.ts'
import { Cancelled, TimedOut, Unknown } from '../model/errors.ts'
import { shown } from '../model/shown.ts'
import type { App } from './app.ts'
import { documented } from './document.ts'
import { findJob } from './questions.ts'
import { JobParams, Protection, ProtectMany, StartView, UnprotectMany, VmList, VmParams } from './shapes.ts'

const config = { right: 'operate' as const }
/** Tags in the engine are set one by one, and the engine may be restarting. */
const mostMs = 10 * 60_000

/** The routes that make the agent do something: all of `AgentActs`. */
export function addActs(app: App, agent: Agent): void {
  app.route({
    method: 'POST',
    url: '/api/v1/jobs/:job/start',
    config,
    schema: documented('operate', {
      operationId: 'startJob',
      tags: ['jobs'],
      summary: 'Start a run now, also while the job is paused',
      params: JobParams,
      answer: StartView,
      status: 202,
    }),
    handler: async ({ params: { job } }, reply) => {
      const state = agent.start(job)
      return reply.code(202).send({ job, state })
    },
  })
  const acts = {
    cancel: 'End the run of the job in good order, or take it out of the queue',
    pause: 'No start by schedule until the job is resumed',
    resume: 'Start by schedule again; missed runs are not made up for',
  } as const
  for (const [act, summary] of Object.entries(acts) as [keyof typeof acts, string][]) {
    app.route({
      method: 'POST',
      url: `/api/v1/jobs/:job/${act}`,
      config,
      schema: documented('operate', {
        operationId: `${act}Job`,
        tags: ['jobs'],
        summary,
        params: JobParams,
        answer: JobView,
      }),
      handler: async ({ params: { job } }) => {
        agent[act](job)
        return findJob(agent, job)
      },
    })
  }
  addProtection(app, agent)
}

function addProtection(app: App, agent: Agent): void {
  const tags: ['vms'] = ['vms']
  app.route({
    method: 'POST',
    url: '/api/v1/vms/:vm/protect',
    config,
    schema: documented('operate', {
      operationId: 'protectVm',
      tags,
      summary: 'Give a VM a policy, by its tag in the engine',
      params: VmParams,
      body: Protection.nullish(),
      answer: VmView,
    }),
    handler: async ({ params: { vm }, body }, reply) =>
      only(vm, await whileWanted(reply, (signal) => agent.protect([vm], body?.policy, signal))),
  })
  app.route({
    method: 'POST',
    url: '/api/v1/vms/:vm/unprotect',
    config,
    schema: documented('operate', {
      operationId: 'unprotectVm',
      tags,
      summary: 'Keep a VM out of every selection, by a tag in the engine',
      params: VmParams,
      answer: VmView,
    }),
    handler: async ({ params: { vm } }, reply) =>
      only(vm, await whileWanted(reply, (signal) => agent.unprotect([vm], signal))),
  })
  app.route({
    method: 'POST',
    url: '/api/v1/vms/protect',
    config,
    schema: documented('operate', {
      operationId: 'protectVms',
      tags,
      summary: 'The same for many; none of them when one is unknown',
      body: ProtectMany,
      answer: VmList,
    }),
    handler: ({ body: { vms, policy } }, reply) =>
      whileWanted(reply, (signal) => agent.protect(vms, policy, signal)),
  })
  app.route({
    method: 'POST',
    url: '/api/v1/vms/unprotect',
    config,
    schema: documented('operate', {
      operationId: 'unprotectVms',
      tags,
      summary: 'The same for many; none of them when one is unknown',
      body: UnprotectMany,
      answer: VmList,
    }),
    handler: ({ body: { vms } }, reply) => whileWanted(reply, (signal) => agent.unprotect(vms, signal)),
  })
}

function only(name: string, [vm]: VmView[]): VmView {
  if (vm === undefined) throw new Unknown(`there is no VM ${shown(name)}`)
  return vm
}

/** Ends what it does when the client has gone, the server ends, or it takes too long; it may then be half done. */
async function whileWanted<T>(reply: FastifyReply, act: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const ending = new AbortController()
  // fastify's own signal of a request ends with its body, not with its connection.
  reply.raw.once('close', () => ending.abort(new Cancelled('nobody waits for the answer any more')))
  const timer = setTimeout(() => {
    const hint = 'ask which VMs are protected by now, and repeat it'
    ending.abort(
      new TimedOut(`setting tags in the engine took longer than ${mostMs / 60_000} minutes`, { hint }),
    )
  }, mostMs)
  try {
    return await act(ending.signal)
  } catch (error) {
    throw ending.signal.aborted ? ending.signal.reason : error
  } finally {
    clearTimeout(timer)
  }
}
