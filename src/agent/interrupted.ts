import type { JobRecord } from './job-record.ts'
import { tellInterrupted } from './tellings.ts'
import type { Troubles } from './troubles.ts'

/** Tells of the runs in whose middle the last agent was ended. Each is made up for like one that was missed. */
export function takeUpInterrupted(records: readonly JobRecord[], troubles: Troubles, now: number): void {
  for (const record of records) {
    const since = record.memory.runningSince
    if (since === undefined) continue
    troubles.tell(tellInterrupted(record.job, since, now))
    record.rest()
    const told = { digest: 'interrupted', at: now, severity: 'alert' as const }
    record.memory = { ...record.memory, told }
    record.wanted = record.job.catchUp && record.schedule !== undefined && !record.memory.paused
  }
}
