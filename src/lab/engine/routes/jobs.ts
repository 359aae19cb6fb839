import { type Call, collection, created, demand, done, idIn, ok } from '../api/call.ts'
import type { Routes } from '../api/router.ts'
import { jobElement, stepElement } from '../api/trace-elements.ts'
import { searched } from '../search/match.ts'
import { jobSearch } from '../search/searchables.ts'
import { ApiFault, incomplete, Missing, refused } from '../wire/fault.ts'
import type { Input } from '../wire/parse-input.ts'
import { addJob, addStep, endJob, endStep, keptJob, keptJobs } from '../world/jobs.ts'
import type { Job, Step } from '../world/records.ts'

const stepTypes = [
  'validating',
  'executing',
  'finalizing',
  'rebalancing_volume',
  'removing_bricks',
  'unknown',
]

/** Jobs of the engine and of others, with their steps. */
export const jobRoutes: Routes = {
  'GET /jobs': (call) =>
    collection('jobs', 'job', searched(keptJobs(call.world), jobSearch, call.query).map(jobElement)),
  'POST /jobs': (call) => {
    demand(call, 'inject_external_tasks')
    const { description, auto_cleared: autoCleared } = call.input('job')
    if (typeof description !== 'string') throw incomplete('Job', ['description'], 'add')
    const kind = { external: true, autoCleared: autoCleared === true }
    return created('job', jobElement(addJob(call.world, call.issuer, description, kind)))
  },
  'GET /jobs/{job}': (call) => ok('job', jobElement(jobIn(call))),
  'ACTION /jobs/{job}/end': (call) => {
    demand(call, 'inject_external_tasks')
    const { succeeded, force } = call.input('action')
    const job = externalJob(call, 'end')
    if (force === true) job.autoCleared = true
    // The status in the body is ignored (EndExternalJobCommand): success is what `succeeded` says, by default true.
    endJob(call.world, job, succeeded !== false, force === true ? 'aborted' : 'failed')
    return done()
  },
  'ACTION /jobs/{job}/clear': (call) => {
    demand(call, 'inject_external_tasks')
    call.input('action')
    call.world.jobs.delete(externalJob(call, 'clear').id)
    return done()
  },
  'GET /jobs/{job}/steps': (call) => {
    const job = keptJob(call.world, idIn(call, 'job'))
    const steps = job === undefined ? [] : [...job.steps.values()].map((step) => stepElement(job, step))
    return collection('steps', 'step', steps)
  },
  'POST /jobs/{job}/steps': (call) => {
    demand(call, 'inject_external_tasks')
    const job = externalJob(call, 'add', 'External Step')
    const given = stepIn(call.input('step'))
    if (given.parent !== undefined && !job.steps.has(given.parent)) {
      throw refused(400, 'Cannot add External Step. Step not found.')
    }
    const from = { external: true, ...(given.parent === undefined ? {} : { parent: given.parent }) }
    return created('step', stepElement(job, addStep(call.world, job, given.type, given.description, from)))
  },
  'GET /jobs/{job}/steps/{step}': (call) => {
    const job = jobIn(call)
    const step = job.steps.get(idIn(call, 'step'))
    if (step === undefined) throw new Missing()
    return ok('step', stepElement(job, step))
  },
  'ACTION /jobs/{job}/steps/{step}/end': (call) => {
    demand(call, 'inject_external_tasks')
    const { succeeded } = call.input('action')
    endStep(call.world, externalStep(call), succeeded !== false)
    return done()
  },
}

function jobIn(call: Call): Job {
  const job = keptJob(call.world, idIn(call, 'job'))
  if (job === undefined) throw new Missing()
  return job
}

function externalJob(call: Call, verb: string, type = 'External Job'): Job {
  const job = keptJob(call.world, idIn(call, 'job'))
  if (job === undefined) throw refused(400, `Cannot ${verb} ${type}. Job not found.`)
  if (!job.external) throw refused(400, `Cannot ${verb} ${type}. It is not an external job.`)
  return job
}

function externalStep(call: Call): Step {
  const step = externalJob(call, 'end', 'External Step').steps.get(idIn(call, 'step'))
  if (step === undefined) throw refused(400, 'Cannot end External Step. Step not found.')
  return step
}

function stepIn({ type, description, parent_step: parentStep }: Input) {
  const missing = [
    typeof type === 'string' ? [] : 'type',
    typeof description === 'string' ? [] : 'description',
  ].flat()
  if (typeof type !== 'string' || typeof description !== 'string') throw incomplete('Step', missing, 'add')
  if (!stepTypes.includes(type))
    throw new ApiFault(400, 'Invalid value', `${type} is not a member of StepEnum`)
  const parent = parentStep === undefined ? undefined : (parentStep as Input)['id']
  if (parentStep !== undefined && typeof parent !== 'string')
    throw incomplete('Step', ['parentStep.id'], 'add')
  return { type, description, parent: typeof parent === 'string' ? parent : undefined }
}
