import { z } from 'zod'
import type { AgentView } from '../agent/agent.ts'
import { JobView, PointView, RunSummary, StatusView, type VmView as Vm, VmView } from '../agent/view.ts'
import { Unknown } from '../model/errors.ts'
import { shown } from '../model/shown.ts'
import type { App } from './app.ts'
import { documented } from './document.ts'
import { JobParams, ReportView, RunParams, RunsQuery, VmList, VmParams, VmsQuery } from './shapes.ts'

const config = { right: 'read' as const }

/** The routes that only ask: all that `AgentView` tells. */
export function addQuestions(app: App, agent: AgentView): void {
  app.route({
    method: 'GET',
    url: '/api/v1/status',
    config,
    schema: documented('read', {
      operationId: 'getStatus',
      tags: ['agent'],
      summary: 'All that one look should show',
      answer: StatusView,
    }),
    handler: async () => agent.status(),
  })
  app.route({
    method: 'GET',
    url: '/api/v1/jobs',
    config,
    schema: documented('read', {
      operationId: 'listJobs',
      tags: ['jobs'],
      summary: 'All jobs, and how they stand',
      answer: z.array(JobView),
    }),
    handler: async () => agent.jobs(),
  })
  app.route({
    method: 'GET',
    url: '/api/v1/jobs/:job',
    config,
    schema: documented('read', {
      operationId: 'getJob',
      tags: ['jobs'],
      summary: 'One job',
      params: JobParams,
      answer: JobView,
    }),
    handler: async ({ params }) => findJob(agent, params.job),
  })
  addRuns(app, agent)
  addVms(app, agent)
}

function addRuns(app: App, agent: AgentView): void {
  app.route({
    method: 'GET',
    url: '/api/v1/runs',
    config,
    schema: documented('read', {
      operationId: 'listRuns',
      tags: ['jobs'],
      summary: 'Runs that have ended, the newest first',
      querystring: RunsQuery,
      answer: z.array(RunSummary),
    }),
    handler: async ({ query: { job, limit } }) => {
      if (job === undefined) return agent.runs({ limit })
      findJob(agent, job)
      return agent.runs({ job, limit })
    },
  })
  app.route({
    method: 'GET',
    url: '/api/v1/runs/:run',
    config,
    schema: documented('read', {
      operationId: 'getReport',
      tags: ['jobs'],
      summary: 'The whole report of a run',
      params: RunParams,
      answer: ReportView,
    }),
    handler: async ({ params: { run } }) => {
      const report = agent.report(run)
      if (report === undefined) throw new Unknown(`there is no report of a run ${run}`)
      return report
    },
  })
  app.route({
    method: 'GET',
    url: '/api/v1/points',
    config,
    schema: documented('read', {
      operationId: 'listPoints',
      tags: ['jobs'],
      summary: 'Recovery points, the newest first, by what their runs have reported',
      answer: z.array(PointView),
    }),
    handler: async () => agent.points(),
  })
}

function addVms(app: App, agent: AgentView): void {
  app.route({
    method: 'GET',
    url: '/api/v1/vms',
    config,
    schema: documented('read', {
      operationId: 'listVms',
      tags: ['vms'],
      summary: 'VMs, how they are to be protected, and how they are',
      querystring: VmsQuery,
      answer: VmList,
    }),
    handler: async ({ query: { job, rpo, name } }) => {
      if (job !== undefined) findJob(agent, job)
      const part = name?.toLowerCase()
      return agent
        .vms()
        .filter((vm) => job === undefined || vm.job === job)
        .filter((vm) => rpo === undefined || vm.rpo === rpo)
        .filter((vm) => part === undefined || vm.name.toLowerCase().includes(part))
    },
  })
  app.route({
    method: 'GET',
    url: '/api/v1/vms/:vm',
    config,
    schema: documented('read', {
      operationId: 'getVm',
      tags: ['vms'],
      summary: 'One VM',
      params: VmParams,
      answer: VmView,
    }),
    handler: async ({ params }) => findVm(agent, params.vm),
  })
}

/** Throws Unknown when there is no such job. */
export function findJob(agent: AgentView, name: string): JobView {
  const job = agent.jobs().find((one) => one.name === name)
  if (job === undefined) throw new Unknown(`there is no job ${shown(name)}`)
  return job
}

function findVm(agent: AgentView, nameOrId: string): Vm {
  const vms = agent.vms()
  const vm = vms.find(({ id }) => id === nameOrId) ?? vms.find(({ name }) => name === nameOrId)
  if (vm === undefined) throw new Unknown(`there is no VM ${shown(nameOrId)}`)
  return vm
}
