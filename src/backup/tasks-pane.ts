import { messageOf } from '../model/errors.ts'
import type { Site } from '../model/site.ts'
import type { RunEvent } from '../run/event.ts'
import type { Run } from '../run/run.ts'
import { jobDescription, newTag } from './names.ts'

/** The run as the engine's Tasks pane shows it. A pane that cannot be kept up to date is a warning, not a failure. */
export interface TasksPane {
  /** To be given every event of the run; never throws and never waits. */
  show(event: RunEvent): void
  /** Waits until the engine knows all that was shown; never throws. */
  drain(): Promise<void>
}

/** Opens the job, owed before it exists. Steps that begin from then on are shown under it. */
export async function openTasksPane(run: Run, site: Site, primary: string): Promise<TasksPane> {
  const { hypervisor } = site
  const description = jobDescription(run.id, primary)
  run.owe({ kind: 'job', text: description })
  let jobId: string
  try {
    jobId = await hypervisor.openJob(description, newTag(run), run.signal)
  } catch (error) {
    run.signal.throwIfAborted()
    warn(run, error)
    return { show: () => undefined, drain: async () => undefined }
  }
  const steps = new Map<string, Promise<string>>()
  let last: Promise<unknown> = Promise.resolve()
  let broken = false

  const queue = (act: () => Promise<unknown>): void => {
    last = last.then(act).catch((error: unknown) => {
      if (broken || run.signal.aborted) return
      broken = true
      warn(run, error)
    })
  }
  const begin = (step: string): void => {
    const opened = Promise.withResolvers<string>()
    opened.promise.catch(() => undefined)
    steps.set(step, opened.promise)
    queue(async () => {
      try {
        opened.resolve(await hypervisor.openStep(jobId, step, newTag(run), run.signal))
      } catch (error) {
        opened.reject(error)
        throw error
      }
    })
  }

  return {
    show(event) {
      if (event.kind === 'step began') begin(event.step)
      if (event.kind !== 'step ended') return
      const step = steps.get(event.step)
      if (step === undefined) return
      queue(async () => hypervisor.closeStep(jobId, await step, event.error === undefined, run.signal))
    },
    async drain() {
      await last
    },
  }
}

function warn(run: Run, error: unknown): void {
  const text = `the engine's Tasks pane is not up to date: ${messageOf(error)}`
  run.emit({ kind: 'note', severity: 'warning', text })
}
