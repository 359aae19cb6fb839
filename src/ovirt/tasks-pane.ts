import { EngineError } from '../model/errors.ts'
import type { Hypervisor } from '../model/hypervisor.ts'
import type { Http } from './http.ts'
import type { Act } from './request.ts'
import { createdId, jobIn, jobsIn } from './wire-job.ts'

type TasksPane = Pick<Hypervisor, 'openJob' | 'findJobs' | 'openStep' | 'closeStep' | 'closeJob'>

/** Jobs of ours in the engine's Tasks pane. */
export function createTasksPane(http: Http): TasksPane {
  return {
    async openJob(description, tag, signal) {
      const doing = `open the job "${description}"`
      // Without auto_cleared the job stays in the pane for ever (AddExternalJobParameters).
      const body = { description, auto_cleared: 'true' }
      const answer = await http.act({ method: 'POST', path: '/jobs', body, tag, doing }, signal)
      return createdId(answer.body, 'new job')
    },

    async findJobs(text, signal) {
      const jobs = jobsIn(await http.get('/jobs', {}, 'list the jobs', signal))
      return jobs
        .filter((job) => job.external && job.status === 'started' && job.description.includes(text))
        .map(({ id }) => id)
    },

    async openStep(jobId, description, tag, signal) {
      const doing = `open the step "${description}"`
      const path = `${jobPath(jobId)}/steps`
      const body = { description, type: 'executing' }
      const answer = await http.act({ method: 'POST', path, body, tag, doing }, signal)
      return createdId(answer.body, 'new step')
    },

    async closeStep(jobId, stepId, succeeded, signal) {
      const doing = `end step ${stepId} of job ${jobId}`
      await end(
        `${jobPath(jobId)}/steps/${encodeURIComponent(stepId)}`,
        { succeeded: String(succeeded) },
        doing,
        signal,
      )
    },

    async closeJob(jobId, succeeded, signal) {
      // force ends the open steps too; succeeded counts as true when left out (BackendJobResource).
      const body = { succeeded: String(succeeded), force: 'true' }
      await end(jobPath(jobId), body, `end job ${jobId}`, signal)
    },
  }

  async function end(path: string, body: object, doing: string, signal: AbortSignal): Promise<void> {
    const act: Act = { method: 'POST', path: `${path}/end`, body, doing, repeatable: true }
    try {
      await http.act(act, signal)
    } catch (error) {
      if (!(await hasEnded(error, path, doing, signal))) throw error
    }
  }

  // The engine tells a job that is gone as 400 (ACTION_TYPE_NO_JOB), like every other wrong request.
  async function hasEnded(
    error: unknown,
    path: string,
    doing: string,
    signal: AbortSignal,
  ): Promise<boolean> {
    if (!(error instanceof EngineError)) return false
    if (error.status === 404) return true
    if (error.status !== 400 && error.status !== 409) return false
    try {
      return jobIn(await http.get(path, {}, doing, signal)).status !== 'started'
    } catch (second) {
      return second instanceof EngineError && second.status === 404
    }
  }
}

function jobPath(id: string): string {
  return `/jobs/${encodeURIComponent(id)}`
}
