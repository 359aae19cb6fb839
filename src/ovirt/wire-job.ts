import { z } from 'zod'
import type { EngineEvent, EventMeaning } from '../model/hypervisor.ts'
import { amount, flag, id, line, list, read, reference, text, word } from './wire.ts'

const job = z.object({
  id,
  description: line.nullish().transform((found) => found ?? ''),
  status: word(['started', 'finished', 'failed', 'aborted', 'unknown'], 'unknown'),
  external: flag.nullish().transform((found) => found ?? false),
  // Only where it was followed; which steps report a percentage depends on the engine's version.
  steps: list('step', z.looseObject({ id, status: line.nullish(), progress: amount.nullish() })).catch([]),
})

/** A job as the engine tells it. It does not tell under which correlation id it was started (types/Job.java). */
export type JobRow = z.output<typeof job>

/** The jobs of an answer. */
export function jobsIn(body: unknown): JobRow[] {
  return read(list('job', job), body, 'list of jobs')
}

/** The one job of an answer. */
export function jobIn(body: unknown): JobRow {
  return read(job, body, 'job')
}

/** The states of a job's steps as one text that changes when anything moves. */
export function progressIn({ steps }: JobRow): string {
  return steps
    .map(({ id, status, progress }) => `${id} ${status ?? ''} ${progress ?? ''}`)
    .toSorted()
    .join(', ')
}

/** A job that ended with an unknown result is no success. */
export function jobState(status: JobRow['status']): 'running' | 'finished' | 'failed' {
  if (status === 'started') return 'running'
  return status === 'finished' ? 'finished' : 'failed'
}

// Codes of AuditLogType.java: what the engine calls created, live created, frozen, removed.
const meanings: ReadonlyMap<number, EventMeaning> = new Map([
  [69, 'snapshot failed'],
  [117, 'snapshot failed'],
  [170, 'snapshot doubtful'],
  [10774, 'snapshot doubtful'],
  [10764, 'freeze failed'],
  [10765, 'thaw failed'],
  [10767, 'guest frozen'],
  [343, 'merge failed'],
  [357, 'merge failed'],
  [359, 'merge failed'],
  [362, 'merge failed'],
  [32, 'started'],
  [150, 'started'],
  [152, 'started'],
  [153, 'started'],
  [506, 'started'],
  [33, 'stopped'],
  [61, 'stopped'],
  [119, 'stopped'],
  [138, 'paused on an error'],
  [139, 'paused on an error'],
  [145, 'paused on an error'],
  [146, 'paused on an error'],
  [68, 'snapshot taken'],
  [342, 'snapshot removed'],
  [356, 'snapshot removed'],
  [100, 'restored from a snapshot'],
  [1190, 'restored from a snapshot'],
  [78, 'got a disk'],
  [97, 'got a disk'],
  [2000, 'got a disk'],
  [2016, 'got a disk'],
  [2008, 'disk moved'],
  [2010, 'disk moved'],
])

const event = z
  .object({
    id: amount,
    code: amount.nullish(),
    severity: word(['normal', 'warning', 'error', 'alert'], 'normal'),
    description: line.nullish(),
    correlation_id: text.nullish(),
    time: z.union([z.number(), z.string()]).nullish(),
    vm: z.object({ id: id.nullish() }).nullish(),
  })
  .transform((found): EngineEvent => {
    const code = found.code ?? 0
    const meaning = meanings.get(code)
    const at = found.time === null || found.time === undefined ? Number.NaN : new Date(found.time).getTime()
    return {
      id: found.id,
      ...(Number.isNaN(at) ? {} : { at }),
      code,
      ...(meaning === undefined ? {} : { meaning }),
      severity: found.severity,
      text: found.description ?? '',
      ...(found.correlation_id ? { tag: found.correlation_id } : {}),
      ...(found.vm?.id ? { vmId: found.vm.id } : {}),
    }
  })

/** The events of an answer. */
export function eventsIn(body: unknown): EngineEvent[] {
  return read(list('event', event), body, 'list of events')
}

/** The id of what an act created; `thing` names it. */
export function createdId(body: unknown, thing: string): string {
  return read(reference, body, thing).id
}

/** The id of the job that an action started, if the engine tells it. */
export function startedJob(body: unknown): string | undefined {
  return read(z.object({ job: reference.nullish() }).nullish(), body, 'answer to an action')?.job?.id
}
