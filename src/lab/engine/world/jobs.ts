import { randomUUID } from 'node:crypto'
import type { Job, JobStatus, Step } from './records.ts'
import type { World } from './world.ts'

/** Who asked, and what the request said about tracing. */
export interface Issuer {
  user: string
  userName: string
  correlationId: string
  /** The existing job that the command runs under. */
  job: string | undefined
}

/** A job for a command, with its executing step open; under the issuer's own job when one is named. */
export function startJob(world: World, issuer: Issuer, description: string): Job {
  const existing = issuer.job === undefined ? undefined : world.jobs.get(issuer.job)
  const job = existing ?? addJob(world, issuer, description, { external: false, autoCleared: true })
  if (existing === undefined) endStep(world, addStep(world, job, 'validating', 'Validating'), true)
  addStep(world, job, 'executing', existing === undefined ? 'Executing' : description)
  if (world.faults.take({ at: 'job' }) !== undefined) world.jobs.delete(job.id)
  return job
}

export function addJob(
  world: World,
  issuer: Issuer,
  description: string,
  kind: { external: boolean; autoCleared: boolean },
): Job {
  const now = world.clock.now()
  const job: Job = {
    id: randomUUID(),
    description,
    status: 'started',
    started: now,
    ended: undefined,
    updated: now,
    ...kind,
    owner: issuer.user,
    correlationId: issuer.correlationId,
    steps: new Map(),
  }
  world.jobs.set(job.id, job)
  return job
}

export function addStep(
  world: World,
  job: Job,
  type: string,
  description: string,
  from: { parent?: string; external?: boolean } = {},
): Step {
  const siblings = [...job.steps.values()].filter((step) => step.parent === from.parent)
  const step: Step = {
    id: randomUUID(),
    type,
    description,
    status: 'started',
    number: siblings.length,
    started: world.clock.now(),
    ended: undefined,
    external: from.external ?? false,
    parent: from.parent,
  }
  job.steps.set(step.id, step)
  job.updated = step.started
  return step
}

export function endStep(world: World, step: Step, succeeded: boolean): void {
  step.status = succeeded ? 'finished' : 'failed'
  step.ended = world.clock.now()
}

/** Ends a job and the steps still open in it. A job of ours that others run under stays open. */
export function endJob(world: World, job: Job, succeeded: boolean, openSteps: JobStatus = 'failed'): void {
  const now = world.clock.now()
  for (const step of job.steps.values()) {
    if (step.ended !== undefined) continue
    step.status = succeeded ? 'finished' : openSteps
    step.ended = now
  }
  job.status = succeeded ? 'finished' : 'failed'
  job.ended = now
  job.updated = now
}

/** Ends a command's part in its job: the whole job, or only its open steps when it ran under an external one. */
export function endCommand(world: World, job: Job, succeeded: boolean): void {
  if (!job.external) {
    endJob(world, job, succeeded)
    return
  }
  for (const step of job.steps.values()) {
    if (!step.external && step.ended === undefined) endStep(world, step, succeeded)
  }
}

/** The jobs still kept: ended ones are forgotten after a while, external ones only if auto-cleared. */
export function keptJobs(world: World): Job[] {
  const { jobKeptAfterSuccess, jobKeptAfterFailure } = world.settings.timings
  const now = world.clock.now().getTime()
  for (const job of world.jobs.values()) {
    if (job.ended === undefined || !job.autoCleared) continue
    const kept = job.status === 'finished' ? jobKeptAfterSuccess : jobKeptAfterFailure
    if (now - job.ended.getTime() > kept) world.jobs.delete(job.id)
  }
  return [...world.jobs.values()]
}

/** A job still kept. */
export function keptJob(world: World, id: string): Job | undefined {
  keptJobs(world)
  return world.jobs.get(id)
}
