import type { Run } from '../run/run.ts'

/** The prefix of all tags of a run: its jobs and events at the engine are found by it. */
export function tagPrefix(runId: string): string {
  return `vmb-${runId}`
}

/** A tag for one act of a run, never used twice; well under the engine's 50 characters. */
export function newTag(run: Run): string {
  tagCount += 1
  return `${tagPrefix(run.id)}-${tagCount}`
}

let tagCount = 0

/** The description of the snapshots of a run: people see it in the engine's portal. */
export function snapshotDescription(runId: string): string {
  return `vmbackup ${runId}`
}

/** True for a snapshot that some run of this tool made. */
export function isOurSnapshot(description: string): boolean {
  return /^vmbackup \d{8}T\d{6}Z-[0-9a-f]{8}$/.test(description)
}

/** The description of a run's job in the engine's Tasks pane. */
export function jobDescription(runId: string, primary: string): string {
  return `vmbackup ${runId}: recovery point of volume ${primary}`
}
